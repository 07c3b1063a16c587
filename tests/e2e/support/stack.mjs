// The whole system for the stories: one that runs already (GRIDWARD_URL, GRIDWARD_ACCOUNTS, GRIDWARD_DATA), or a fresh
// one by scripts/run in a folder of its own, with handhelds that are enrolled but moved by the stories.
import { spawn } from 'node:child_process'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
export const buildDir = resolve(process.env.GRIDWARD_BUILD_DIR ?? join(root, 'build', 'release'))

const startMs = 120_000
const stopMs = 30_000

export function freePort() {
  return new Promise((done, fail) => {
    const server = createServer()
    server.on('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => done(port))
    })
  })
}

export async function startStack({ devices = 2 } = {}) {
  if (process.env.GRIDWARD_URL) {
    return {
      url: process.env.GRIDWARD_URL,
      accounts: JSON.parse(process.env.GRIDWARD_ACCOUNTS ?? '{}'),
      data: process.env.GRIDWARD_DATA ?? '',
      stop: async () => undefined,
    }
  }
  const data = await mkdtemp(join(tmpdir(), 'gridward-e2e-'))
  await chmod(data, 0o711) // the broker's own user has to get through to its folder
  const words = ['--data', data, '--port', String(await freePort()), '--devices', String(devices), '--no-build', '--idle']
  const child = spawn(join(root, 'scripts', 'run'), [...words, '--build-dir', buildDir], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = []
  const remember = (line) => {
    output.push(line)
    if (output.length > 400) output.shift()
  }
  createInterface({ input: child.stderr }).on('line', remember)
  const ended = new Promise((done) => child.on('close', (code) => done(code)))

  const ready = await new Promise((done, fail) => {
    const timer = setTimeout(() => fail(new Error(`scripts/run was not ready in time:\n${output.join('\n')}`)), startMs)
    createInterface({ input: child.stdout }).on('line', (line) => {
      remember(line)
      if (!line.startsWith('ready ')) return
      clearTimeout(timer)
      done(JSON.parse(line.slice('ready '.length)))
    })
    void ended.then((code) => {
      clearTimeout(timer)
      fail(new Error(`scripts/run ended with status ${code}:\n${output.join('\n')}`))
    })
  }).catch(async (error) => {
    child.kill('SIGINT')
    await ended
    if (!process.env.GRIDWARD_KEEP) await rm(data, { recursive: true, force: true })
    throw error
  })

  return {
    ...ready,
    output,
    async stop() {
      child.kill('SIGINT')
      const timer = setTimeout(() => child.kill('SIGKILL'), stopMs)
      const code = await ended
      clearTimeout(timer)
      if (!process.env.GRIDWARD_KEEP) await rm(data, { recursive: true, force: true })
      if (code !== 0) throw new Error(`scripts/run stopped with status ${code}:\n${output.join('\n')}`)
    },
  }
}
