// Keys of a page are off while somebody types, or while a dialog or a menu has the keyboard.
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable) return true
  if (target.closest('dialog, [role="dialog"], [role="listbox"], .leaflet-container') !== null) return true
  return /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
}

export function plainKey(event: KeyboardEvent): string | null {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return null
  return event.key
}
