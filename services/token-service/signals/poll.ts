import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import type { Stream } from './stream.ts'

const eventsMax = 100
/** How long a poll may wait for something to tell, milliseconds. */
const waitMs = 25_000

const jti = z.string().min(1).max(128)
/** RFC 8936 §2.4. Members that we do not know are let be. */
export const pollSchema = z.object({
  maxEvents: z.int().min(0).optional(),
  returnImmediately: z.boolean().default(false),
  ack: z.array(jti).max(1000).default([]),
  setErrs: z
    .record(jti, z.object({ err: z.string().max(100), description: z.string().max(1000).optional() }))
    .refine((errors) => Object.keys(errors).length <= 1000)
    .default({}),
})
export type Poll = z.infer<typeof pollSchema>

export type PollAnswer = { readonly sets: Readonly<Record<string, string>>; readonly moreAvailable: boolean }

export type PollEvents = {
  /** The receiver cannot use a SET: it is not sent again. */
  readonly refused: (stream: string, jti: string, err: string) => void
}

/** First what the receiver has, then what it has not, oldest first (RFC 8936 §2.2). What is not acknowledged comes again. */
export async function answerPoll(poll: Poll, stream: Stream, gone: AbortSignal, events: PollEvents): Promise<PollAnswer> {
  for (const one of poll.ack) stream.end(one)
  for (const [one, { err }] of Object.entries(poll.setErrs)) if (stream.end(one)) events.refused(stream.receiver.id, one, err)
  const max = Math.min(poll.maxEvents ?? eventsMax, eventsMax)
  if (max > 0 && !poll.returnImmediately) await untilSomethingWaits(stream, gone)
  const sets = stream.oldest(max)
  return {
    sets: Object.fromEntries(sets.map(({ jti: id, text }) => [id, text])),
    moreAvailable: stream.size > sets.length,
  }
}

async function untilSomethingWaits(stream: Stream, gone: AbortSignal): Promise<void> {
  const ended = AbortSignal.any([gone, stream.pollWaits(), AbortSignal.timeout(waitMs)])
  const end = wait(2 * waitMs, undefined, { signal: ended, ref: false }).catch(() => {})
  while (stream.size === 0 && !ended.aborted) await Promise.race([stream.changed, end])
}
