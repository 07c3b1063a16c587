import { describe, expect, it } from 'vitest'
import { backoffMs, SseParser } from '@/lib/sse'

const wire = ': hello\n\nevent: change\ndata: {"kind":"case"}\n\n: still here\n\ndata: a\ndata: b\n\nevent: resync\ndata: {}\n\n'
const events = [
  { event: 'change', data: '{"kind":"case"}' },
  { event: 'message', data: 'a\nb' },
  { event: 'resync', data: '{}' },
]

describe('SseParser', () => {
  it('reads events and passes over comments', () => {
    expect(new SseParser().push(wire)).toEqual(events)
  })
  it.each(['\n', '\r\n', '\r'])('reads the same wherever the pieces are cut (%j)', (end) => {
    const text = wire.replaceAll('\n', end)
    for (let cut = 0; cut <= text.length; cut++) {
      const parser = new SseParser()
      // A last byte, so that a lone CR at the very end is known not to be half of CRLF.
      expect([...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut)), ...parser.push(':\n')]).toEqual(events)
    }
  })
  it('forgets the name of an event without data', () => {
    expect(new SseParser().push('event: x\n\ndata: 1\n\n')).toEqual([{ event: 'message', data: '1' }])
  })
})

describe('backoffMs', () => {
  it('grows to a ceiling, with full jitter above a floor', () => {
    expect(backoffMs(0, 1)).toBe(500)
    expect(backoffMs(3, 1)).toBe(4000)
    expect(backoffMs(50, 1)).toBe(15_000)
    expect(backoffMs(3, 0.5)).toBe(2000)
    expect(backoffMs(9, 0)).toBe(250)
  })
})
