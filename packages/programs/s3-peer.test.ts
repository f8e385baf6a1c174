import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { S3Store } from './s3-store.ts'

/** A real S3-compatible server that checks signatures: github.com/versity/versitygw. Left out where it is not installed. */
const isThere = spawnSync('versitygw', ['--version']).status === 0

describe.skipIf(!isThere)('a bucket of an S3-compatible server', () => {
  const directory = mkdtempSync(join(tmpdir(), 'interlock-s3-'))
  const keys = { region: 'us-east-1', accessKeyId: 'interlock', secretAccessKey: 'interlock-secret' }
  let server: ChildProcess
  let url: string
  beforeAll(async () => {
    mkdirSync(join(directory, 'data', 'bucket'), { recursive: true })
    const port = await freePort()
    url = `http://127.0.0.1:${port}/bucket/programs`
    const account = ['--access', keys.accessKeyId, '--secret', keys.secretAccessKey, '--port', `127.0.0.1:${port}`]
    server = spawn('versitygw', [...account, 'posix', join(directory, 'data')], { stdio: 'ignore' })
    for (let tried = 0; tried < 100; tried += 1) {
      const answers = await fetch(`http://127.0.0.1:${port}/`).then(
        () => true,
        () => false,
      )
      if (answers) return
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    throw new Error('versitygw does not answer')
  })
  afterAll(() => {
    server.kill()
    rmSync(directory, { recursive: true })
  })

  it('keeps programs by their digest, small and large', async () => {
    const store = new S3Store({ url, ...keys })
    for (const program of [Buffer.from('M2\n'), Buffer.alloc(20_000_000, 'G1 X1 Y2\n')]) {
      const name = await store.put(program)
      expect(await store.put(program)).toEqual(name)
      expect((await store.get(name))?.equals(program)).toBe(true)
    }
  })

  it('has nothing where nothing was put', async () => {
    expect(await new S3Store({ url, ...keys }).get({ sha256: 'A'.repeat(43), bytes: 3 })).toBeUndefined()
  })

  it('takes nothing that is signed with another secret', async () => {
    const store = new S3Store({ url, ...keys, secretAccessKey: 'another' })
    await expect(store.put(Buffer.from('M2\n'))).rejects.toMatchObject({ code: 'program-store-unavailable' })
  })
})

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
