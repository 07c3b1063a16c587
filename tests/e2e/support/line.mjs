// The line between a handheld and the broker, which can be cut: what goes up is counted, and beyond the allowance the
// connection is torn and none comes through until the line is mended. TLS passes through untouched.
import { createServer, connect } from 'node:net'

export async function openLine(brokerPort) {
  let allowance = Infinity // bytes that may still go up
  let sent = 0
  const pairs = new Set()
  const tear = (pair) => {
    pairs.delete(pair)
    pair.forEach((socket) => socket.destroy())
  }
  const server = createServer((device) => {
    if (allowance <= 0) return void device.destroy()
    const broker = connect(brokerPort, '127.0.0.1')
    const pair = [device, broker]
    pairs.add(pair)
    for (const socket of pair) {
      socket.on('error', () => tear(pair))
      socket.on('close', () => tear(pair))
    }
    broker.pipe(device)
    device.on('data', (bytes) => {
      sent += bytes.length
      allowance -= bytes.length
      if (allowance <= 0) tear(pair)
      else if (!broker.write(bytes)) device.pause()
    })
    broker.on('drain', () => device.resume())
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  return {
    port: server.address().port,
    sent: () => sent,
    cutAfter: (bytes) => (allowance = bytes),
    mend: () => (allowance = Infinity),
    close() {
      server.close()
      ;[...pairs].forEach(tear)
    },
  }
}
