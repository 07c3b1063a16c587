import { onActivated, onBeforeUnmount, onDeactivated, onMounted, shallowReactive } from 'vue'
import { isTyping, plainKey } from '@/lib/keys'

export interface Shortcut {
  keys: string[] // as KeyboardEvent.key
  label: string // key of a message
  run: () => void
  when?: () => boolean
}

// Everything a key does now, for the help and for the one listener.
export const shortcuts = shallowReactive(new Set<Shortcut[]>())

// Element Plus keeps closed dialogs in the page, without a box; one that fades out is closed already.
function dialogOpen(): boolean {
  return [...document.querySelectorAll('dialog[open], .el-overlay:not(.dialog-fade-leave-active)')].some((e) => e.getClientRects().length > 0)
}

window.addEventListener('keydown', (event) => {
  const key = plainKey(event)
  if (key === null || isTyping(event.target) || dialogOpen()) return
  // The page's own keys, registered last, go before those of the shell.
  for (const list of [...shortcuts].reverse()) {
    const hit = list.find((shortcut) => shortcut.keys.includes(key) && (shortcut.when?.() ?? true))
    if (hit !== undefined) {
      event.preventDefault()
      hit.run()
      return
    }
  }
})

export function useShortcuts(list: Shortcut[]): void {
  const on = () => void shortcuts.add(list)
  const off = () => void shortcuts.delete(list)
  onMounted(on)
  onActivated(on)
  onDeactivated(off)
  onBeforeUnmount(off)
}
