import { readonly, ref } from 'vue'

// New reports that came while nobody looked at this tab; shown in the tab's title.
const count = ref(0)
export const unread = readonly(count)

export function noteUnread(n: number): void {
  if (document.visibilityState === 'hidden') count.value += n
}
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') count.value = 0
})
