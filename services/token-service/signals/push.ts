import { setTimeout as wait } from 'node:timers/promises'
import { backoffMs } from '@interlock/enforcer'
import type { Receiver } from './receivers.ts'
import type { Stream } from './stream.ts'

const answerMs = 10_000
const answerBytesMax = 4096

export type PushEvents = {
  /** Told once until it works again. */
  readonly failing: (stream: string, cause: string) => void
  readonly delivering: (stream: string) => void
  /** The receiver cannot use a SET: it is not sent again. */
  readonly refused: (stream: string, jti: string, err: string) => void
}

export type PushDelivery = Extract<Receiver['delivery'], { method: 'push' }>

/** RFC 8935 §2.4: these say that this very SET is no good to the receiver. All else may be different at the next try. */
const finalErrors = ['invalid_request', 'invalid_issuer', 'invalid_audience']

/** Sends a stream's SETs one by one, oldest first, each until the receiver has it. Ends with the signal. */
export async function pushStream(stream: Stream, delivery: PushDelivery, events: PushEvents, signal: AbortSignal): Promise<void> {
  const { id } = stream.receiver
  const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  for (let failures = 0; !signal.aborted; ) {
    const changed = stream.changed
    const [token] = stream.oldest(1)
    if (!token) {
      await Promise.race([changed, stopped])
      continue
    }
    const outcome = await deliver(token.text, delivery, signal)
    if (outcome.kind === 'retry') {
      if (failures === 0 && !signal.aborted) events.failing(id, outcome.cause)
      await wait(backoffMs(failures++), undefined, { signal }).catch(() => {})
      continue
    }
    if (failures > 0) events.delivering(id)
    failures = 0
    stream.end(token.jti)
    if (outcome.kind === 'refused') events.refused(id, token.jti, outcome.err)
  }
}

type Outcome = { kind: 'accepted' } | { kind: 'refused'; err: string } | { kind: 'retry'; cause: string }

async function deliver(text: string, { url, authorization }: PushDelivery, signal: AbortSignal): Promise<Outcome> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/secevent+jwt',
        accept: 'application/json',
        ...(authorization && { authorization }),
      },
      body: text,
      // Another address than the configured one is none of ours (ATTACKS 127).
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)]),
    })
    if (response.status === 202) {
      await response.body?.cancel()
      return { kind: 'accepted' }
    }
    const err = errorIn(await beginningOf(response))
    if (response.status === 400 && err !== undefined && finalErrors.includes(err)) return { kind: 'refused', err }
    return { kind: 'retry', cause: [`status ${response.status}`, err].filter(Boolean).join(' ') }
  } catch (error) {
    const { cause, message } = error as Error
    return { kind: 'retry', cause: cause instanceof Error ? cause.message : message }
  }
}

/** At most so much of an answer as an error has. */
async function beginningOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > answerBytesMax) break
  }
  return Buffer.concat(chunks).subarray(0, answerBytesMax).toString('utf8')
}

/** `err` of an answer by RFC 8935 §2.3. */
function errorIn(text: string): string | undefined {
  try {
    const { err } = JSON.parse(text) as { err?: unknown }
    return typeof err === 'string' ? err.slice(0, 100) : undefined
  } catch {
    return undefined
  }
}
