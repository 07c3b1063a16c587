// A member's handheld: the real gridward-device program on an enrolled configuration, with a receiver that walks.
import { execFile, spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { buildDir, freePort } from './stack.mjs'
import { until } from './until.mjs'

const run = promisify(execFile)
const program = join(buildDir, 'device', 'gridward-device')
const sbin = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` } // where Debian keeps gpsd

export class Handheld {
  constructor(stack, device) {
    this.device = device
    this.config = join(stack.data, 'devices', device, 'device.json')
    this.children = []
    this.lines = []
  }

  // ---- the program's short commands ----
  async command(...words) {
    const { stdout } = await run(program, ['--config', this.config, '--lang', 'en', ...words])
    return stdout.trim()
  }
  async save(...words) {
    const out = await this.command(...words)
    const match = /^saved (\S+)/.exec(out)
    if (match === null) throw new Error(`gridward-device ${words[0]} did not say saved: ${out}`)
    return match[1]
  }
  async openTask(caseId) {
    const tasks = JSON.parse(await this.command('task', 'list', '--json'))
    return tasks.find((task) => task.case === caseId && task.state === 'open') ?? null
  }
  // Whether the agent has the server's receipt for what `save` gave back.
  receipted(id) {
    return this.lines.some((line) => line.endsWith(` receipted ${id}`))
  }
  async drained() {
    const status = JSON.parse(await this.command('status', '--json'))
    return status.waiting_records === 0 && status.waiting_media === 0 && status.pending_points === 0
  }

  // ---- what runs beside the commands ----
  async start() {
    await this.spawnChild(program, ['--config', this.config, '--lang', 'en', 'run'], process.env)
    await until('the handheld is connected', () => this.lines.some((line) => line.includes('connected')))
  }
  // A receiver that reads out an endless walk along a small loop around the place, three sentences a second.
  async startReceiver({ lat, lon, radiusM, fixes }) {
    const port = await freePort()
    const log = join(dirname(this.config), 'walk.nmea')
    await writeFile(log, walk(lat, lon, radiusM, fixes), 'latin1')
    await this.spawnChild('gpsfake', ['-q', '-n', '-c', '0.333', '-P', String(port), log], sbin)
    await until('the receiver has a position', () => hasFix(port))
    const config = JSON.parse(await readFile(this.config, 'utf8'))
    Object.assign(config, {
      gpsd_host: '127.0.0.1',
      gpsd_port: port,
      position_wait_ms: 15_000,
      track_interval_ms: 1000,
      track_batch_ms: 4000,
    })
    await writeFile(this.config, JSON.stringify(config))
  }
  async stop() {
    for (const child of this.children.reverse()) {
      const ended = child.exitCode !== null || child.signalCode !== null ? null : new Promise((done) => child.once('close', done))
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await ended
      clearTimeout(timer)
    }
    this.children = []
  }
  async spawnChild(file, words, env) {
    const child = spawn(file, words, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => this.lines.push(line))
    }
    await new Promise((done, fail) => {
      child.once('spawn', done)
      child.once('error', fail)
    })
    this.children.push(child)
  }
}

// Whether gpsd listens on the port and tells a position within a while.
function hasFix(port) {
  return new Promise((done, fail) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('?WATCH={"enable":true,"json":true};\n'))
    const timer = setTimeout(() => socket.destroy(new Error('no position yet')), 5000)
    socket.on('error', fail)
    socket.on('close', () => {
      clearTimeout(timer)
      fail(new Error('gpsd hung up'))
    })
    let heard = ''
    socket.on('data', (bytes) => {
      heard += bytes
      if (!/"class":"TPV"[^\n]*"lat":/.test(heard)) return
      done(true)
      socket.destroy()
    })
  })
}

// NMEA 0183 of one loop, a fix a second; gpsfake begins again at its end.
export function walk(lat, lon, radiusM, fixes = 240, from = new Date()) {
  const sentence = (body) => {
    let sum = 0
    for (const c of body) sum ^= c.charCodeAt(0)
    return `$${body}*${sum.toString(16).toUpperCase().padStart(2, '0')}\r\n`
  }
  const angle = (value, width, positive, negative) => {
    const whole = Math.floor(Math.abs(value))
    const minutes = ((Math.abs(value) - whole) * 60).toFixed(5).padStart(8, '0')
    return `${String(whole).padStart(width, '0')}${minutes},${value >= 0 ? positive : negative}`
  }
  let text = ''
  for (let i = 0; i < fixes; i++) {
    const at = new Date(from.getTime() + i * 1000).toISOString()
    const time = `${at.slice(11, 13)}${at.slice(14, 16)}${at.slice(17, 19)}.00`
    const date = `${at.slice(8, 10)}${at.slice(5, 7)}${at.slice(2, 4)}`
    const turn = (2 * Math.PI * i) / fixes
    const y = angle(lat + ((radiusM * Math.sin(turn)) / 111_195), 2, 'N', 'S')
    const x = angle(lon + (radiusM * Math.cos(turn)) / (111_195 * Math.cos((lat * Math.PI) / 180)), 3, 'E', 'W')
    text += sentence(`GPGGA,${time},${y},${x},1,09,0.9,4.0,M,-2.0,M,,`)
    text += sentence('GPGSA,A,3,02,05,07,09,13,15,20,24,30,,,,1.6,0.9,1.3')
    text += sentence(`GPRMC,${time},A,${y},${x},2.50,90.00,${date},,,A`)
  }
  return text
}
