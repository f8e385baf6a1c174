import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FolderStore } from './folder-store.ts'
import { openProgramStore } from './open-program-store.ts'
import { ProgramStoreError, pathOf, programBytesMax } from './program-store.ts'
import { S3Store } from './s3-store.ts'

const program = Buffer.from('G0 X1\n'.repeat(1000))
const absent = { sha256: 'A'.repeat(43), bytes: 5 }

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'interlock-programs-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

describe('a folder of programs', () => {
  const fileOf = (name: { sha256: string; bytes: number }) => join(directory, ...pathOf(name))

  it('gives back what was put, however often', async () => {
    const store = new FolderStore(directory)
    const [name] = await Promise.all([store.put(program), store.put(program), store.put(program)])
    expect(await store.put(program)).toEqual(name)
    expect(await store.get(name)).toEqual(program)
    expect(readdirSync(join(directory, pathOf(name)[0]))).toEqual([pathOf(name)[1]])
  })

  it('has nothing where nothing was put, and never looks outside of itself', async () => {
    expect(await new FolderStore(directory).get(absent)).toBeUndefined()
    await expect(new FolderStore(directory).get({ sha256: `../${'A'.repeat(40)}`, bytes: 5 })).rejects.toThrow(RangeError)
  })

  it('gives nothing where somebody changed, cut or lengthened it', async () => {
    const store = new FolderStore(directory)
    const name = await store.put(program)
    writeFileSync(fileOf(name), Buffer.from(program).fill('X', 0, 1))
    expect(await store.get(name)).toBeUndefined()
    truncateSync(fileOf(name), 10)
    expect(await store.get(name)).toBeUndefined()
    writeFileSync(fileOf(name), Buffer.concat([program, program]))
    expect(await store.get(name)).toBeUndefined()
    // Mended by who has it.
    await store.put(program)
    expect(await store.get(name)).toEqual(program)
  })

  it('gives nothing, and waits for nobody, where somebody laid a pipe or a folder', async () => {
    const store = new FolderStore(directory)
    const name = await store.put(program)
    rmSync(fileOf(name))
    expect(spawnSync('mkfifo', [fileOf(name)]).status).toBe(0)
    expect(await store.get(name)).toBeUndefined()
    rmSync(fileOf(name))
    mkdirSync(fileOf(name))
    expect(await store.get(name)).toBeUndefined()
  })

  it('says that it cannot be used, which is not that nothing is there', async () => {
    writeFileSync(join(directory, 'file'), '')
    const store = new FolderStore(join(directory, 'file'))
    await expect(store.put(program)).rejects.toMatchObject({ code: 'program-store-unavailable', retriable: true })
    await expect(store.get(absent)).rejects.toMatchObject({ code: 'program-store-unavailable' })
  })

  it('takes no empty program and none that no command could name', async () => {
    const store = new FolderStore(directory)
    await expect(store.put(Buffer.alloc(0))).rejects.toMatchObject({ code: 'program-too-large', retriable: false })
    await expect(store.put(Buffer.alloc(programBytesMax + 1))).rejects.toBeInstanceOf(ProgramStoreError)
  })
})

/** Faults that a real store does not give when asked; a real one is in s3-peer.test.ts. */
describe('a bucket that misbehaves', () => {
  let server: Server
  let answer: (request: IncomingMessage, response: ServerResponse) => void
  let asked: string[]
  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`)
      request.resume().on('end', () => answer(request, response))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => new Promise((resolve) => server.close(resolve)))
  beforeEach(() => {
    asked = []
  })
  const store = () =>
    new S3Store({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/bucket/`,
      ...{ region: 'eu', accessKeyId: 'id', secretAccessKey: 'secret' },
    })
  const named = async () => {
    answer = (_, response) => response.end()
    return store().put(program)
  }

  it('is asked by digest under its prefix, signed, the secret never sent', async () => {
    let headers = ''
    answer = (request, response) => {
      headers = JSON.stringify(request.headers)
      response.end()
    }
    const name = await store().put(program)
    expect(asked).toEqual([`PUT /bucket/${pathOf(name).join('/')}`])
    expect(headers).toContain('AWS4-HMAC-SHA256 Credential=id/')
    expect(headers).not.toContain('secret')
  })

  it.each<[string, Buffer]>([
    ['other bytes', Buffer.from(program).fill('X', 0, 1)],
    ['fewer bytes', program.subarray(1)],
    ['more bytes', Buffer.concat([program, Buffer.of(0)])],
  ])('gives nothing where it answers with %s', async (_what, bytes) => {
    const name = await named()
    answer = (_request, response) => response.end(bytes)
    expect(await store().get(name)).toBeUndefined()
  })

  it('does not read on where the answer has no end', async () => {
    const name = await named()
    let sent = 0
    answer = (_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) sent += 65_536
        if (!response.destroyed) response.once('drain', more)
      }
      more()
    }
    expect(await store().get(name)).toBeUndefined()
    expect(sent).toBeLessThan(16_777_216)
  })

  it('is asked three times where it fails, then said to be away; a refusal is final', async () => {
    const name = await named()
    asked = []
    answer = (_request, response) => response.writeHead(503).end()
    await expect(store().get(name)).rejects.toMatchObject({ code: 'program-store-unavailable' })
    expect(asked).toHaveLength(3)
    answer = (_request, response) => response.writeHead(403).end()
    await expect(store().get(name)).rejects.toMatchObject({ code: 'program-store-unavailable' })
    expect(asked).toHaveLength(4)
    answer = (_request, response) => response.writeHead(404).end()
    expect(await store().get(name)).toBeUndefined()
  })

  it('is not followed elsewhere', async () => {
    const name = await named()
    asked = []
    answer = (_request, response) => response.writeHead(302, { location: '/elsewhere' }).end()
    await expect(store().get(name)).rejects.toMatchObject({ code: 'program-store-unavailable' })
    expect(asked.filter((line) => line.includes('elsewhere'))).toEqual([])
  })
})

describe('which store a setting means', () => {
  const credentials = (text: string, mode = 0o600) => {
    const file = join(directory, 'credentials.json')
    writeFileSync(file, text)
    chmodSync(file, mode)
    return file
  }
  const good = JSON.stringify({ region: 'eu', accessKeyId: 'id', secretAccessKey: 'secret' })

  it('a folder, a bucket, a bucket on this machine', () => {
    expect(openProgramStore(pathToFileURL(directory).href)).toBeInstanceOf(FolderStore)
    expect(openProgramStore('https://s3.example/bucket', credentials(good))).toBeInstanceOf(S3Store)
    expect(openProgramStore('http://127.0.0.1:9000/bucket', credentials(good))).toBeInstanceOf(S3Store)
  })

  it.each<[string, string, (() => string) | undefined]>([
    ['without TLS', 'http://s3.example/bucket', () => credentials(good)],
    ['with a password in the address', 'https://id:secret@s3.example/bucket', () => credentials(good)],
    ['of another kind', 'ftp://s3.example/bucket', () => credentials(good)],
    ['that is no address', 'bucket', () => credentials(good)],
    ['without credentials', 'https://s3.example/bucket', undefined],
    ['whose credentials others can read', 'https://s3.example/bucket', () => credentials(good, 0o644)],
    ['whose credentials lack something', 'https://s3.example/bucket', () => credentials('{"region":"eu"}')],
  ])('refuses one %s', (_what, url, file) => {
    expect(() => openProgramStore(url, file?.())).toThrow(ProgramStoreError)
  })

  it('does not quote a file of credentials that it cannot read', () => {
    expect(() => openProgramStore('https://s3.example/bucket', credentials('{"secretAccessKey":"geheim'))).toThrow(/is no JSON$/)
  })
})
