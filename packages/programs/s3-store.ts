import { setTimeout as wait } from 'node:timers/promises'
import { AwsClient } from 'aws4fetch'
import { isNamed, nameOf, type ProgramStore, ProgramStoreError, pathOf, type StoredName } from './program-store.ts'

export type S3StoreSettings = {
  /** Bucket and prefix by path, such as https://s3.eu-central-1.amazonaws.com/bucket/programs. */
  readonly url: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** All tries together, however large the program; milliseconds. */
const answerMs = 10_000
const tries = 3

/** Programs as objects of an S3-compatible store. */
export class S3Store implements ProgramStore {
  readonly #client: AwsClient
  readonly #url: string

  constructor({ url, ...credentials }: S3StoreSettings) {
    // Retries are ours: the client's own would go on for a minute, and an order waits.
    this.#client = new AwsClient({ ...credentials, service: 's3', retries: 0 })
    this.#url = url.replace(/\/+$/, '')
  }

  async put(bytes: Uint8Array): Promise<StoredName> {
    const name = nameOf(bytes)
    // If-None-Match is not asked for: the same name has the same bytes, and not every store knows it.
    const response = await this.#ask(name, {
      method: 'PUT',
      body: Buffer.from(bytes),
      headers: { 'content-type': 'application/octet-stream' },
    })
    await response.body?.cancel()
    if (!response.ok) throw unavailable(`PUT answered ${response.status}`)
    return name
  }

  async get(name: StoredName): Promise<Buffer | undefined> {
    const response = await this.#ask(name, { method: 'GET' })
    if (!response.ok || !response.body) {
      await response.body?.cancel()
      if (response.status === 404) return undefined
      throw unavailable(`GET answered ${response.status}`)
    }
    const bytes = await readBounded(response.body, name.bytes).catch((cause: unknown) => {
      throw unavailable('the answer broke off', cause)
    })
    return bytes && isNamed(bytes, name) ? bytes : undefined
  }

  async #ask(name: StoredName, request: RequestInit): Promise<Response> {
    const [folder, file] = pathOf(name)
    const signal = AbortSignal.timeout(answerMs)
    for (let attempt = 1; ; attempt += 1) {
      try {
        const response = await this.#client.fetch(`${this.#url}/${folder}/${file}`, { ...request, signal, redirect: 'error' })
        if (response.status < 500 || attempt === tries) return response
        await response.body?.cancel()
      } catch (cause) {
        if (attempt === tries || signal.aborted) throw unavailable('no answer', cause)
      }
      await wait(100 * 2 ** attempt)
    }
  }
}

/** The whole body where it has exactly so many bytes; a longer one is not read to its end. */
async function readBounded(body: ReadableStream<Uint8Array>, length: number): Promise<Buffer | undefined> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of body) {
    bytes += part.length
    if (bytes > length) return undefined
    parts.push(part)
  }
  return bytes === length ? Buffer.concat(parts) : undefined
}

const unavailable = (why: string, cause?: unknown) =>
  new ProgramStoreError('program-store-unavailable', `the store of programs: ${why}`, cause)
