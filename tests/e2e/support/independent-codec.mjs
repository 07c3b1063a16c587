// The codec of the pages, server/web/src/wire, for Node 18, which reads no TypeScript: bundled by the esbuild that vite brings.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './stack.mjs'

const web = join(root, 'server', 'web')
const bundle = join(root, 'build', 'e2e', 'wire.mjs')
const { build } = createRequire(createRequire(join(web, 'package.json')).resolve('vite'))('esbuild')
await build({
  entryPoints: [join(web, 'src', 'wire', 'index.ts')],
  outfile: bundle,
  bundle: true,
  format: 'esm',
  target: 'node18',
})
export const wire = await import(pathToFileURL(bundle).href)
