import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { buildDir } from './stack.mjs'

// A street scene that the simulator draws, for pictures that people look at. Gives its path.
const problems = ['manhole', 'litter', 'pothole', 'stall', 'parking', 'lamp', 'puddle']
export async function drawnScene(path, seed, size = '2400x1800', { problem = problems[seed % problems.length], repaired = false } = {}) {
  const words = ['draw', '--out', path, '--seed', String(seed), '--size', size, '--problem', problem, ...(repaired ? ['--repaired'] : [])]
  await promisify(execFile)(join(buildDir, 'firmware-sim', 'gridward-sim'), words)
  return path
}

// A photo whose upright form is known: four corners of four colours, stored turned, with the EXIF tag that says so.
const width = 1600 // upright, pixels
const height = 1200
export const corners = { topLeft: [214, 40, 40], topRight: [30, 150, 60], bottomLeft: [40, 70, 200], bottomRight: [235, 190, 30] }

// orientation 6: the camera was held turned, so the stored picture is turned a quarter to the left.
export async function turnedPhoto(page, title = 'BEFORE') {
  const stored = await page.evaluate(
    async ({ width, height, corners, title }) => {
      const canvas = document.createElement('canvas')
      canvas.width = height
      canvas.height = width
      const paint = canvas.getContext('2d')
      paint.translate(0, width)
      paint.rotate(-Math.PI / 2)
      const quarter = (colour, x, y) => {
        paint.fillStyle = `rgb(${colour.join(' ')})`
        paint.fillRect((x * width) / 2, (y * height) / 2, width / 2, height / 2)
      }
      quarter(corners.topLeft, 0, 0)
      quarter(corners.topRight, 1, 0)
      quarter(corners.bottomLeft, 0, 1)
      quarter(corners.bottomRight, 1, 1)
      paint.fillStyle = '#fff'
      paint.font = 'bold 150px sans-serif'
      paint.textAlign = 'center'
      paint.fillText(`${title} ↑`, width / 2, height / 2 + 50)
      const blob = await new Promise((done) => canvas.toBlob(done, 'image/jpeg', 0.92))
      return [...new Uint8Array(await blob.arrayBuffer())]
    },
    { width, height, corners, title },
  )
  return withOrientation(Buffer.from(stored), 6)
}

export function withOrientation(jpeg, orientation) {
  const tiff = Buffer.alloc(26)
  tiff.write('II*\0', 0, 'latin1')
  tiff.writeUInt32LE(8, 4)
  tiff.writeUInt16LE(1, 8) // one entry
  tiff.writeUInt16LE(0x0112, 10) // orientation
  tiff.writeUInt16LE(3, 12) // SHORT
  tiff.writeUInt32LE(1, 14)
  tiff.writeUInt16LE(orientation, 18)
  const head = Buffer.from([0xff, 0xe1, 0, 0])
  const body = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff])
  head.writeUInt16BE(body.length + 2, 2)
  return Buffer.concat([jpeg.subarray(0, 2), head, body, jpeg.subarray(2)])
}

// The same picture whose header says that it is 20,000 pixels wide and high: over the limit, and a bomb for who believes it.
export function hugePhoto(jpeg) {
  const out = Buffer.from(jpeg)
  for (let at = 2; at < out.length; at += 2 + out.readUInt16BE(at + 2)) {
    const marker = out.readUInt16BE(at)
    if (marker < 0xffc0 || marker > 0xffc2) continue // not a start of frame
    out.writeUInt16BE(20_000, at + 5)
    out.writeUInt16BE(20_000, at + 7)
    return out
  }
  throw new Error('no start of frame')
}

// The colours in the corners of the picture as they stand on the screen: a screenshot, so that whatever turns a picture
// (its bytes, its EXIF, a style) is in it. The picture is fitted into its box, so the margins are left out.
export async function paintedCorners(image) {
  const size = await image.evaluate((e) => ({ width: e.naturalWidth, height: e.naturalHeight }))
  const png = [...(await image.screenshot())]
  const corners = await image.evaluate(
    async (_, { png, size }) => {
      const shot = await createImageBitmap(new Blob([Uint8Array.from(png)]))
      const canvas = new OffscreenCanvas(shot.width, shot.height)
      const paint = canvas.getContext('2d')
      paint.drawImage(shot, 0, 0)
      const scale = Math.min(shot.width / size.width, shot.height / size.height)
      const at = (x, y) => {
        const px = shot.width / 2 + (x - 0.5) * size.width * scale
        const py = shot.height / 2 + (y - 0.5) * size.height * scale
        return [...paint.getImageData(Math.round(px), Math.round(py), 1, 1).data.slice(0, 3)]
      }
      // Not the outermost tenth: a caption stands on the picture's upper left corner.
      return { topLeft: at(0.3, 0.3), topRight: at(0.9, 0.1), bottomLeft: at(0.1, 0.9), bottomRight: at(0.9, 0.9) }
    },
    { png, size },
  )
  return { ...size, ...corners }
}

export function near(a, b, tolerance = 24) {
  return a.every((value, i) => Math.abs(value - b[i]) <= tolerance)
}
