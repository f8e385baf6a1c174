import { spawnSync } from 'node:child_process'
import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDomain } from '../../trust/test-domain.ts'
import { findOpa, opaAdvice } from '../opa/opa.ts'
import { readArchive, writeArchive } from './archive.ts'
import { readBundle, renameBundle } from './bundle.ts'

const built = readFileSync(new URL('../fixture/trying.tar.gz', import.meta.url))
const opa = findOpa()
const scratch = mkdtempSync(join(tmpdir(), 'interlock-bundle-'))
let signed: Buffer
let publicKey: KeyObject
beforeAll(async () => {
  const key = (await testDomain(['operator/dev'], Date.now())).signer('operator/dev')
  publicKey = new X509Certificate(key.chain[0] as Buffer).publicKey
  signed = await renameBundle(built, 'trying-1', key)
})
afterAll(() => rmSync(scratch, { recursive: true }))

const codeOf = (act: () => unknown): string => {
  try {
    act()
    return 'accepted'
  } catch (error) {
    return (error as { code: string }).code
  }
}
/** The same archive with some of its files changed. */
function edited(archive: Uint8Array, edit: (files: Map<string, Buffer>) => void): Buffer {
  const files = new Map(readArchive(archive))
  edit(files)
  return writeArchive(files)
}
const write = (name: string, bytes: string | Uint8Array) => {
  writeFileSync(join(scratch, name), bytes)
  return join(scratch, name)
}

const generateKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })

describe('a bundle', () => {
  it('as OPA builds it is read: its module, its data, its name', () => {
    expect(readBundle(built)).toMatchObject({ revision: '', data: {} })
    expect(readBundle(built).wasm.toString('latin1', 0, 4)).toBe('\0asm')
    expect(readBundle(signed, publicKey)).toEqual({ ...readBundle(built), revision: 'trying-1' })
  })

  it('attack 76: counts only with the signature of the key that is asked for, over all of it', () => {
    expect(codeOf(() => readBundle(built, publicKey))).toBe('bundle-signature')
    expect(codeOf(() => readBundle(signed, generateKey().publicKey))).toBe('bundle-signature')
    expect(codeOf(() => readBundle(signed, generateKeyPairSync('ed25519').publicKey))).toBe('bundle-signature')
    const edits: ((files: Map<string, Buffer>) => void)[] = [
      (files) => files.set('policy.wasm', Buffer.from('\0asm')),
      (files) => files.set('data.json', Buffer.from('{"numbers":[1]}')),
      (files) => files.set('stranger.rego', Buffer.from('package interlock.bounds')),
      (files) => files.delete('trying.rego'),
      (files) => files.set('.signatures.json', Buffer.from('{"signatures":[]}')),
    ]
    for (const edit of edits) expect(codeOf(() => readBundle(edited(signed, edit), publicKey))).toBe('bundle-signature')
    // White space in a document is nothing that anybody signed, for OPA neither.
    const spaced = edited(signed, (files) => files.set('data.json', Buffer.from('{ }\n')))
    expect(codeOf(() => readBundle(spaced, publicKey))).toBe('accepted')
  })

  it('is refused where two readers may see two things, or it unpacks to too much', () => {
    const [path = '', bytes = Buffer.alloc(0)] = [...readArchive(built)][0] ?? []
    const tar = (edit: (header: Buffer) => void) => {
      const block = Buffer.from(writeBlock(path, bytes))
      edit(block)
      return gzipSync(Buffer.concat([block, Buffer.alloc(1024)]))
    }
    expect(codeOf(() => readArchive(tar(() => {})))).toBe('accepted')
    expect(codeOf(() => readArchive(tar((block) => block.write('2', 156))))).toBe('bundle-malformed')
    expect(codeOf(() => readArchive(tar((block) => block.write('9', 124))))).toBe('bundle-malformed')
    expect(codeOf(() => readArchive(writeArchive(new Map([['../x', bytes]]))))).toBe('bundle-malformed')
    const twice = Buffer.concat([writeBlock('x', bytes), writeBlock('/x', bytes), Buffer.alloc(1024)])
    expect(codeOf(() => readArchive(gzipSync(twice)))).toBe('bundle-malformed')
    expect(codeOf(() => readArchive(Buffer.from('no archive')))).toBe('bundle-malformed')
    expect(codeOf(() => readArchive(gzipSync(Buffer.alloc(9_000_000))))).toBe('bundle-too-large')
  })

  it('without the module or with data that is no object is no policy', () => {
    expect(codeOf(() => readBundle(edited(built, (files) => files.delete('policy.wasm'))))).toBe('bundle-malformed')
    expect(codeOf(() => readBundle(edited(built, (files) => files.set('data.json', Buffer.from('[]')))))).toBe('bundle-malformed')
  })
})

describe('OPA itself', () => {
  const verifies = (bundle: string, pem: string) =>
    spawnSync(
      opa?.command ?? '',
      ['build', '-b', '--verification-key', pem, '--signing-alg', 'ES256', '-o', join(scratch, 'out'), bundle],
      {
        encoding: 'utf8',
      },
    )

  it('takes what we signed, and refuses it where it was changed since', ({ skip }) => {
    if (!opa) return skip(opaAdvice)
    const pem = write('public.pem', publicKey.export({ type: 'spki', format: 'pem' }))
    expect(verifies(write('good.tar.gz', signed), pem)).toMatchObject({ status: 0 })
    const changed = edited(signed, (files) => files.set('data.json', Buffer.from('{"numbers":[1]}')))
    expect(verifies(write('changed.tar.gz', changed), pem).status).not.toBe(0)
  })

  it('signs what we take', ({ skip }) => {
    if (!opa) return skip(opaAdvice)
    const { privateKey, publicKey: theirKey } = generateKey()
    const pem = write('key.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }))
    write('trying.rego', readFileSync(new URL('../fixture/trying.rego', import.meta.url)))
    write('data.json', '{"numbers": [3, 1.50, 1e2], "ä<b": null}')
    const words = ['build', '-b', '-t', 'wasm', '-e', 'interlock/bounds/decision', '--signing-key', pem, '--signing-alg', 'ES256']
    const { status, stderr } = spawnSync(opa.command, [...words, '-o', join(scratch, 'theirs.tar.gz'), scratch], {
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    expect(status).toBe(0)
    const theirs = readFileSync(join(scratch, 'theirs.tar.gz'))
    expect(readBundle(theirs, theirKey).data).toEqual({ numbers: [3, 1.5, 100], 'ä<b': null })
    expect(codeOf(() => readBundle(theirs, publicKey))).toBe('bundle-signature')
  })
})

/** One file of an archive, without its end. */
function writeBlock(path: string, bytes: Uint8Array): Buffer {
  const archive = writeArchive(new Map([[path, bytes]]))
  return gunzipSync(archive).subarray(0, -1024)
}
