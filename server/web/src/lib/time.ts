// Times are shown in the tenant's zone, not the browser's: a case of 滨海新区 has one clock wherever it is read.

export const minute = 60_000
export const hour = 60 * minute
export const day = 24 * hour

const two = (n: number) => String(n).padStart(2, '0')

function shifted(ms: number, offsetMin: number): Date {
  return new Date(ms + offsetMin * minute)
}

export function dayOf(ms: number, offsetMin: number): string {
  return shifted(ms, offsetMin).toISOString().slice(0, 10)
}

export function hourMinute(ms: number, offsetMin: number): string {
  const d = shifted(ms, offsetMin)
  return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`
}

export function hourMinuteSecond(ms: number, offsetMin: number): string {
  return `${hourMinute(ms, offsetMin)}:${two(shifted(ms, offsetMin).getUTCSeconds())}`
}

// As short as it can be without doubt: "10:32" today, "11-21 10:32" this year, "2025-11-21 10:32" else.
export function stamp(ms: number, now: number, offsetMin: number): string {
  const date = dayOf(ms, offsetMin)
  const today = dayOf(now, offsetMin)
  const clock = hourMinute(ms, offsetMin)
  if (date === today) return clock
  return date.slice(0, 4) === today.slice(0, 4) ? `${date.slice(5)} ${clock}` : `${date} ${clock}`
}

export function fullStamp(ms: number, offsetMin: number): string {
  return `${dayOf(ms, offsetMin)} ${hourMinuteSecond(ms, offsetMin)}`
}

export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const ms = Date.parse(`${text}T00:00:00Z`)
  return Number.isFinite(ms) && new Date(ms).toISOString().slice(0, 10) === text
}

export function shiftDay(text: string, days: number): string {
  return new Date(Date.parse(`${text}T00:00:00Z`) + days * day).toISOString().slice(0, 10)
}

export interface Span {
  days: number
  hours: number
  minutes: number
}
export function span(ms: number): Span {
  const total = Math.floor(Math.abs(ms) / minute)
  return { days: Math.floor(total / 1440), hours: Math.floor((total % 1440) / 60), minutes: total % 60 }
}

export interface Message {
  key: string
  params: Record<string, number | string>
}
// The key and numbers of a message: "2 days 3 hours", "3 hours 20 minutes", "5 minutes", "under a minute".
export function spanMessage(ms: number): Message {
  const s = span(ms)
  if (s.days > 0) {
    return s.hours > 0
      ? { key: 'span.dayHour', params: { d: s.days, h: s.hours } }
      : { key: 'span.day', params: { d: s.days } }
  }
  if (s.hours > 0) {
    return s.minutes > 0
      ? { key: 'span.hourMinute', params: { h: s.hours, m: s.minutes } }
      : { key: 'span.hour', params: { h: s.hours } }
  }
  return s.minutes > 0 ? { key: 'span.minute', params: { m: s.minutes } } : { key: 'span.moment', params: {} }
}

// "just now", "5 minutes ago", …; days and more are told by their date, so the caller gets null.
export function agoMessage(ms: number, now: number): Message | null {
  const past = now - ms
  if (past < minute) return { key: 'ago.now', params: {} }
  if (past < hour) return { key: 'ago.minutes', params: { n: Math.floor(past / minute) } }
  if (past < day) return { key: 'ago.hours', params: { n: Math.floor(past / hour) } }
  return null
}
