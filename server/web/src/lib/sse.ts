// The text/event-stream format, as far as the server uses it. A hand-made reader instead of EventSource, because that
// one hides the comment lines: they are the only sign that a quiet connection still lives.
export interface SseEvent {
  event: string
  data: string
}

export class SseParser {
  private buffer = ''
  private event = ''
  private data: string[] = []

  push(chunk: string): SseEvent[] {
    this.buffer += chunk
    const out: SseEvent[] = []
    for (;;) {
      const end = /\r\n|\n|\r(?!$)/.exec(this.buffer) // a lone CR at the end may be half of CRLF
      if (end === null) return out
      const line = this.buffer.slice(0, end.index)
      this.buffer = this.buffer.slice(end.index + end[0].length)
      const done = this.line(line)
      if (done !== null) out.push(done)
    }
  }

  private line(line: string): SseEvent | null {
    if (line === '') {
      const event = this.data.length > 0 ? { event: this.event || 'message', data: this.data.join('\n') } : null
      this.event = ''
      this.data = []
      return event
    }
    const colon = line.indexOf(':')
    if (colon === 0) return null
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') this.event = value
    if (field === 'data') this.data.push(value)
    return null
  }
}

// Exponential with full jitter. attempt counts from 0.
export function backoffMs(attempt: number, random: number): number {
  const ceiling = Math.min(15_000, 500 * 2 ** Math.min(attempt, 10))
  return Math.max(250, Math.round(ceiling * random))
}
