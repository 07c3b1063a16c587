// The one live connection of the page. Reconnects by itself; after a loss everybody fetches anew, because what happened
// meanwhile is not told again.
import { reactive, readonly } from 'vue'
import type { LiveChange } from '@/api/types'
import { backoffMs, SseParser } from '@/lib/sse'

const silentMs = 35_000 // the server writes a line every 15 s: two are missing
const answerMs = 10_000 // to begin an answer

interface LiveState {
  status: 'off' | 'connecting' | 'open' | 'lost'
  lastDataAt: number // Date.now() of the last sign of life, 0 before the first
  retryAt: number
  attempt: number
}
const state = reactive<LiveState>({ status: 'off', lastDataAt: 0, retryAt: 0, attempt: 0 })
export const live = readonly(state)

type ChangeHandler = (change: LiveChange) => void
const changeHandlers = new Set<ChangeHandler>()
const resyncHandlers = new Set<() => void>()

export function onChange(handler: ChangeHandler): () => void {
  changeHandlers.add(handler)
  return () => changeHandlers.delete(handler)
}
export function onResync(handler: () => void): () => void {
  resyncHandlers.add(handler)
  return () => resyncHandlers.delete(handler)
}

let generation = 0
let abort: AbortController | null = null
let retryTimer: ReturnType<typeof setTimeout> | undefined
let silenceTimer: ReturnType<typeof setInterval> | undefined
let askedAt = 0 // Date.now() of a connection that has no answer yet, else 0
let opened = false // at least once since start: the next opening is a resync
let onRefused: () => void = () => undefined

export function startLive(refused: () => void): void {
  if (state.status !== 'off') return
  onRefused = refused
  opened = false
  state.attempt = 0
  window.addEventListener('online', retryLive)
  window.addEventListener('offline', lose)
  document.addEventListener('visibilitychange', woke)
  silenceTimer = setInterval(() => {
    const silent = state.status === 'open' && Date.now() - state.lastDataAt > silentMs
    if (silent || (askedAt !== 0 && Date.now() - askedAt > answerMs)) lose()
  }, 1000)
  void connect()
}

export function stopLive(): void {
  generation++
  abort?.abort()
  clearTimeout(retryTimer)
  clearInterval(silenceTimer)
  askedAt = 0
  window.removeEventListener('online', retryLive)
  window.removeEventListener('offline', lose)
  document.removeEventListener('visibilitychange', woke)
  Object.assign(state, { status: 'off', lastDataAt: 0, retryAt: 0, attempt: 0 })
}

export function retryLive(): void {
  if (state.status === 'off' || state.status === 'open') return
  clearTimeout(retryTimer)
  void connect()
}

function woke(): void {
  if (document.visibilityState === 'visible') retryLive()
}

function lose(): void {
  if (state.status === 'off') return
  generation++
  abort?.abort()
  clearTimeout(retryTimer)
  askedAt = 0
  state.status = 'lost'
  const wait = backoffMs(state.attempt, Math.random())
  state.attempt++
  state.retryAt = Date.now() + wait
  retryTimer = setTimeout(() => void connect(), wait)
}

async function connect(): Promise<void> {
  const mine = ++generation
  abort?.abort()
  abort = new AbortController()
  askedAt = Date.now()
  if (state.status !== 'lost') state.status = 'connecting'
  try {
    const response = await fetch('/api/live', {
      headers: { Accept: 'text/event-stream' },
      credentials: 'same-origin',
      cache: 'no-store',
      signal: abort.signal,
    })
    if (mine !== generation) return
    askedAt = 0
    if (response.status === 401) {
      onRefused()
      return
    }
    if (!response.ok || response.body === null) throw new Error('refused')
    state.status = 'open'
    state.lastDataAt = Date.now()
    if (opened) resyncHandlers.forEach((handler) => handler())
    opened = true
    const reader = response.body.getReader()
    const decoder = new TextDecoder()
    const parser = new SseParser()
    for (;;) {
      const { done, value } = await reader.read()
      if (mine !== generation) return
      if (done) break
      state.lastDataAt = Date.now()
      state.attempt = 0
      for (const event of parser.push(decoder.decode(value, { stream: true }))) {
        if (event.event === 'change') deliver(event.data)
        // More happened than the server keeps for a slow page.
        if (event.event === 'resync') resyncHandlers.forEach((handler) => handler())
      }
    }
    lose()
  } catch {
    if (mine === generation) lose()
  }
}

function deliver(data: string): void {
  let change: LiveChange
  try {
    change = JSON.parse(data) as LiveChange
  } catch {
    return
  }
  changeHandlers.forEach((handler) => handler(change))
}
