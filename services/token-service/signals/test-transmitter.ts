import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ControlTable } from '@interlock/contracts'
import type { Fixture } from '@interlock/sdk/fixture'
import { type SigningKey, signControlEntry } from '@interlock/trust'
import { startTestServer } from '../test-server.ts'
import { signalApp } from './app.ts'
import type { PushEvents } from './push.ts'
import { parseReceivers, type Receiver } from './receivers.ts'
import type { Signer } from './security-event-token.ts'
import { Stream } from './stream.ts'
import { type EntryParts, takeEntry } from './take-entry.ts'

export const secretOf = (id: string) => `secret-of-${id}`

/** Receivers as their settings file has them. */
export function receiversOf(entries: readonly Record<string, unknown>[]): Receiver[] {
  const receivers = entries.map((entry) => ({
    audience: `https://${entry.id}.example`,
    secretSha256: createHash('sha256')
      .update(secretOf(String(entry.id)))
      .digest('base64url'),
    delivery: { method: 'poll' },
    ...entry,
  }))
  return parseReceivers(JSON.stringify({ receivers }), () => 'Bearer push-secret')
}

export type TestTransmitter = {
  readonly issuer: string
  readonly streams: readonly Stream[]
  /** What was said of receivers, in order. */
  readonly said: string[]
  readonly events: PushEvents
  /** Moves its clock, milliseconds. */
  pass(ms: number): void
  /** Writes an entry as its table's topic has it, and lets every stream read it. Returns the record, to be read again. */
  enter(table: ControlTable, id: string, value: unknown, change?: { revision?: number; by?: SigningKey }): Promise<Buffer>
  read(stream: Stream, table: ControlTable, offset: number, value: Buffer | null): Promise<void>
  stop(): void
}

/** A transmitter over real HTTP, beside the token service's own endpoints; the topics are in memory. */
export async function startTestTransmitter(fixture: Fixture, receivers: readonly Receiver[]): Promise<TestTransmitter> {
  const streams = receivers.map((receiver) => new Stream(receiver))
  const said: string[] = []
  const events: PushEvents = {
    failing: (stream, cause) => said.push(`failing ${stream} ${cause}`),
    delivering: (stream) => said.push(`delivering ${stream}`),
    refused: (stream, _jti, err) => said.push(`refused ${stream} ${err}`),
  }
  let clockMs = 0
  let issuer = ''
  const signer: Signer = {
    key: fixture.key('service-token'),
    get issuer() {
      return issuer
    },
  }
  const now = () => Date.now() + clockMs
  const server = await startTestServer(fixture, {
    extend: (app) => app.route('/', signalApp({ signer, streams, events, now })),
  })
  issuer = server.issuer
  const revisions = new Map<string, number>()
  const offsets = new Map<string, number>()
  const parts: EntryParts = {
    codec: fixture.codec,
    anchors: fixture.trust.anchors,
    signer,
    revisionOf: (table, id) => revisions.get(`${table} ${id}`) ?? 0,
  }
  const read = (stream: Stream, topic: ControlTable, offset: number, value: Buffer | null) =>
    takeEntry(stream, { topic, offset, value }, parts)
  return {
    ...{ issuer, streams, said, events, read },
    pass: (ms) => {
      clockMs += ms
    },
    async enter(table, id, value, { revision = fixture.now, by = fixture.key('service-registry') } = {}) {
      const entry = await signControlEntry({ table, id, revision, updatedAt: fixture.now, value }, by)
      const bytes = fixture.codec.encode(table, entry)
      revisions.set(`${table} ${id}`, Math.max(revision, revisions.get(`${table} ${id}`) ?? 0))
      const offset = offsets.get(table) ?? 0
      offsets.set(table, offset + 1)
      for (const stream of streams) await read(stream, table, offset, bytes)
      return bytes
    },
    stop: () => server.stop(),
  }
}

export type TestReceiver = {
  readonly url: string
  readonly received: string[]
  readonly requests: IncomingMessage[]
  stop(): void
}

/** A system that is pushed to; `answer` says what it makes of each SET. */
export async function startTestReceiver(answer: (text: string, response: ServerResponse) => void): Promise<TestReceiver> {
  const received: string[] = []
  const requests: IncomingMessage[] = []
  const server: Server = createServer(async (request, response) => {
    requests.push(request)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString('utf8')
    received.push(text)
    answer(text, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`
  return { url, received, requests, stop: () => server.close() }
}
