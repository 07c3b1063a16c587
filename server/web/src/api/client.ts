import { noteServerTime } from '@/state/now'

// Every failure of a request, told so that a page can say why.
export class ApiError extends Error {
  constructor(
    readonly kind: 'problem' | 'network' | 'timeout',
    readonly status: number,
    readonly code: string, // the name in the table of errors; empty when the answer was not ours
    readonly title: string,
    readonly field: string,
    readonly detail: string,
  ) {
    super(code || kind)
  }
}

interface Problem {
  title?: string
  name?: string
  field?: string
  detail?: string
}

const timeoutMs = 15_000

let loggedOut: () => void = () => undefined
export function onLoggedOut(handler: () => void): void {
  loggedOut = handler
}

async function problemOf(response: Response): Promise<ApiError> {
  let problem: Problem = {}
  if (response.headers.get('content-type')?.includes('json') === true) {
    problem = ((await response.json().catch(() => ({}))) ?? {}) as Problem
  }
  return new ApiError(
    'problem',
    response.status,
    problem.name ?? '',
    problem.title ?? '',
    problem.field ?? '',
    problem.detail ?? '',
  )
}

export async function request<T>(method: 'GET' | 'POST', path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), timeoutMs)
  const forward = () => abort.abort()
  signal?.addEventListener('abort', forward)
  if (signal?.aborted === true) abort.abort()
  try {
    const headers: Record<string, string> = { Accept: 'application/json' }
    // A form of another site cannot send this header: it is what proves that the page itself asks.
    if (method !== 'GET') headers['X-Gridward'] = '1'
    if (body !== undefined) headers['Content-Type'] = 'application/json'
    let response: Response
    try {
      response = await fetch(path, {
        method,
        headers,
        credentials: 'same-origin',
        body: body === undefined ? null : JSON.stringify(body),
        signal: abort.signal,
      })
    } catch (error) {
      if (signal?.aborted === true) throw error
      throw new ApiError(abort.signal.aborted ? 'timeout' : 'network', 0, '', '', '', '')
    }
    noteServerTime(response.headers.get('date'))
    if (!response.ok) {
      const error = await problemOf(response)
      if (error.status === 401 && error.code !== 'bad_credentials') loggedOut()
      throw error
    }
    if (response.status === 204) return undefined as T
    try {
      return (await response.json()) as T
    } catch (error) {
      if (signal?.aborted === true) throw error
      throw new ApiError(abort.signal.aborted ? 'timeout' : 'network', response.status, '', '', '', '')
    }
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', forward)
  }
}
