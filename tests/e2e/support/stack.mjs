// The whole system for the stories: one that runs already (GRIDWARD_URL, GRIDWARD_ACCOUNTS, GRIDWARD_DATA), or a fresh
// one by scripts/run in a folder of its own, with handhelds that are enrolled but moved by the stories.
import { execFile, spawn } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

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

export async function startStack({ devices = 2, https = false } = {}) {
  if (process.env.GRIDWARD_URL) {
    return {
      url: process.env.GRIDWARD_URL,
      accounts: JSON.parse(process.env.GRIDWARD_ACCOUNTS ?? '{}'),
      data: process.env.GRIDWARD_DATA ?? '',
      order: () => Promise.reject(new Error('this story needs a system of its own: leave GRIDWARD_URL out')),
      stop: async () => undefined,
    }
  }
  const data = await mkdtemp(join(tmpdir(), 'gridward-e2e-'))
  await chmod(data, 0o711) // the broker's own user has to get through to its folder
  const words = ['--data', data, '--port', String(await freePort()), '--devices', String(devices), '--no-build', '--idle', ...(https ? ['--https'] : [])]
  const child = spawn(join(root, 'scripts', 'run'), [...words, '--build-dir', buildDir], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const output = []
  const remember = (line) => {
    output.push(line)
    if (output.length > 400) output.shift()
  }
  let obeyed = () => undefined // told the order that was carried out
  createInterface({ input: child.stderr }).on('line', remember)
  const ended = new Promise((done) => child.on('close', (code) => done(code)))

  const ready = await new Promise((done, fail) => {
    const timer = setTimeout(() => fail(new Error(`scripts/run was not ready in time:\n${output.join('\n')}`)), startMs)
    createInterface({ input: child.stdout }).on('line', (line) => {
      remember(line)
      if (line.startsWith('done ')) obeyed(line.slice('done '.length))
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
    // `kill`: the server dies without a goodbye; `start`: it is there again.
    async order(word) {
      const done = new Promise((resolve) => (obeyed = resolve))
      child.stdin.write(`${word}\n`)
      const said = await Promise.race([done, ended.then(() => 'ended')])
      if (said !== word) throw new Error(`scripts/run: ${word} was answered ${said}:\n${output.join('\n')}`)
    },
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

// One more operator of the town centre, made as the centre's administrator makes one.
export async function addOperator(stack, { login, name }) {
  const { org } = JSON.parse(await readFile(join(stack.data, 'accounts.json'), 'utf8')).all[stack.accounts.operator.login]
  const password = `${login}-${name}`
  const words = ['user', 'set', login, '--name', name, '--role', 'town_operator', '--org', org, '--config', join(stack.data, 'server.json')]
  await new Promise((done, fail) => {
    const child = execFile(join(buildDir, 'server', 'main', 'gridward-server'), words, (error) => (error ? fail(error) : done()))
    child.stdin.end(`${password}\n`)
  })
  return { login, name, password }
}

// What the database of the running server says; read-only.
export async function ask(stack, sql) {
  const { stdout } = await promisify(execFile)('sqlite3', ['-readonly', '-cmd', '.timeout 10000', join(stack.data, 'server', 'gridward.db'), sql])
  return stdout.trim()
}
