// The stories' own client speaks the protocol: it makes the bytes of the vectors that every implementation runs.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from './support/stack.mjs'
import { decode, encode, packTrack } from './support/wire.mjs'

const vectors = async (name) => JSON.parse(await readFile(join(root, 'tests', 'vectors', `${name}.json`), 'utf8')).vectors

test('records and messages come out as the bytes they came from', async () => {
  for (const name of ['record', 'up', 'media', 'down']) {
    for (const vector of await vectors(name)) {
      assert.equal(encode(decode(Buffer.from(vector.hex, 'hex'))).toString('hex'), vector.hex, `${name}: ${vector.name}`)
    }
  }
})

test('tracks are packed as the vectors say', async () => {
  for (const vector of await vectors('track')) assert.equal(packTrack(vector.value).toString('hex'), vector.hex, vector.name)
})
