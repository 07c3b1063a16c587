// Writes .gz and .br beside each text file of the build, so that the server never compresses.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

const root = process.argv[2] ?? 'dist'
const textual = /\.(html|js|css|svg|json|webmanifest|txt)$/
const smallest = 512 // bytes; below it a header costs more than it saves

let before = 0
let after = 0
for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
  // Node 18.20 calls the folder `path`, later ones `parentPath`.
  const file = join(entry.parentPath ?? entry.path, entry.name)
  if (!entry.isFile() || !textual.test(file)) continue
  const bytes = await readFile(file)
  if (bytes.length < smallest) continue
  const gz = await promisify(gzip)(bytes, { level: 9 })
  const br = await promisify(brotliCompress)(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  })
  await writeFile(`${file}.gz`, gz)
  await writeFile(`${file}.br`, br)
  before += bytes.length
  after += gz.length
}
console.log(`precompressed: ${Math.round(before / 1024)} KiB, gzip ${Math.round(after / 1024)} KiB in all`)
