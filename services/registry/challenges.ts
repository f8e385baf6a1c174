import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { SingleUse } from '@interlock/trust'
import { answerMs } from './enrolment.ts'

/** What was asked of a subject, and until when its answer counts. */
export type Question = {
  readonly subject: string
  readonly nonce: Buffer
  /** Milliseconds since 1970. */
  readonly until: number
  /** Names it among the answered ones. */
  readonly tag: string
}

const [untilBytes, randomLength, tagBytes] = [8, 16, 32]
const headerBytes = untilBytes + randomLength
/** Of a subject of 2048 characters, in base64url. */
const idCharactersMax = Math.ceil(((headerBytes + 2048 + tagBytes) * 4) / 3)

/**
 * Nonces for appraisals: each for one subject, one answer, one minute (ATTACKS 23). A question is not remembered, its id says it, by a key of this process: anybody may ask
 * for anybody's, and no number of strangers' questions takes a platform's own away.
 */
export class Challenges {
  readonly #key = randomBytes(32)
  readonly #answered: SingleUse

  constructor(answered = new SingleUse()) {
    this.#answered = answered
  }

  issue(subject: string, now: number): { readonly id: string; readonly nonce: Buffer } {
    const until = Buffer.alloc(untilBytes)
    until.writeBigUInt64BE(BigInt(now + answerMs))
    const said = Buffer.concat([until, randomBytes(randomLength), Buffer.from(subject)])
    return { id: Buffer.concat([said, this.#mac('id', said)]).toString('base64url'), nonce: this.#mac('nonce', said) }
  }

  /** What was asked under an id of ours that is not over. Whether it was answered, `answer` says. */
  read(id: string, now: number): Question | undefined {
    if (id.length > idCharactersMax) return undefined
    const bytes = Buffer.from(id, 'base64url')
    if (bytes.length < headerBytes + tagBytes) return undefined
    const [said, tag] = [bytes.subarray(0, -tagBytes), bytes.subarray(-tagBytes)]
    if (!timingSafeEqual(tag, this.#mac('id', said))) return undefined
    const until = Number(said.readBigUInt64BE())
    if (until <= now) return undefined
    // By the tag, not the text: base64url that is not canonical reads as the same bytes.
    const question = { subject: said.subarray(headerBytes).toString(), until, tag: tag.toString('base64url') }
    return { ...question, nonce: this.#mac('nonce', said) }
  }

  /**
   * Whether it is the first answer. To be asked only of what the enrolled key signed, so that a stranger's answers neither spoil a question nor fill the memory. Remembered until
   * the question is over; where too many are, none counts.
   */
  answer({ subject, tag, until }: Question, now: number): boolean {
    return this.#answered.take(subject, tag, until, now)
  }

  #mac(use: 'id' | 'nonce', said: Buffer): Buffer {
    return createHmac('sha256', this.#key).update(`${use}\0`).update(said).digest()
  }
}
