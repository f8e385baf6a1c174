import { type Ack, type Detail, limitMetSchema, type Order } from '@interlock/contracts'
import { type ProgramStore, ProgramStoreError, programOf } from '@interlock/programs'
import { digest } from '@interlock/trust'
import { type AckSigner, acknowledge, type Measured } from './acknowledge.ts'
import type { OrderJournal } from './journal.ts'
import type { JournalEntry } from './journal-entry.ts'
import {
  heldBack,
  mayStillRun,
  type OrderContext,
  type OrderRefusal,
  type OrderVerdict,
  refuse,
  type VerifiedOrder,
  verifyOrder,
} from './verify-order.ts'

/** The work of one order. `signal` is aborted by a stop or a revocation: the machine must come to rest at once. */
export type Handler = (order: VerifiedOrder, signal: AbortSignal) => Promise<Measured>

/** Thrown by a handler to say why the machine did not do it, and what it had done until then. */
export class DeviceFailure extends Error {
  readonly reason: string
  readonly measured: Measured
  constructor(reason: string, measured: Measured = {}) {
    super(reason)
    this.reason = reason
    this.measured = measured
  }
}

export type OrderRunnerPorts = {
  readonly journal: OrderJournal
  readonly signer: AckSigner
  readonly handler: Handler
  /** Where large programs lie; an order that needs one is refused without it. */
  readonly programs?: ProgramStore
  /** Resolves when the broker has the ack. */
  readonly send: (ack: Ack) => Promise<void>
  /** What holds at this moment: clock, control tables, trust. */
  readonly context: () => Omit<OrderContext, 'hasBegun' | 'use'>
  readonly report: (event: 'ran' | 'refused' | 'repeated', order: Order, detail: Record<string, unknown>) => void
}

type Answer = NonNullable<JournalEntry['answer']>
type Subject = Pick<JournalEntry, 'intentId' | 'jobId' | 'orderDigest' | 'nonce' | 'uses'>

/** Verifies, enters, runs and answers orders one after the other. Knows no Kafka. */
export class OrderRunner {
  readonly #ports: OrderRunnerPorts
  #running: { readonly order: VerifiedOrder; readonly abort: AbortController } | undefined

  constructor(ports: OrderRunnerPorts) {
    this.#ports = ports
  }

  /** To be called once, before the first order: what a crash interrupted is failed, never resumed, and every answer is sent. */
  async recover(): Promise<void> {
    for (const entry of this.#ports.journal.untold()) {
      const answer = entry.answer ?? { status: 'failed', reason: 'interrupted', measured: {} }
      if (!entry.answer) this.#enter('ended', entry, answer)
      await this.#tell(entry, answer)
    }
  }

  /** `bytes` is the Order record as it lay in `dispatch`. */
  async take(order: Order, bytes: Buffer): Promise<void> {
    const verified = await verifyOrder(order, this.#context())
    const verdict = verified.ok ? await this.#withProgram(verified.value) : verified
    if (!verdict.ok) return this.#refuse(order, bytes, verdict)

    const subject = subjectOf(verdict.value)
    this.#enter('begun', subject, null)
    await this.#send(subject, { status: 'accepted', reason: '', measured: {} })
    const answer = await this.#run(verdict.value)
    this.#enter('ended', subject, answer)
    await this.#tell(subject, answer)
    this.#ports.report('ran', order, answer)
  }

  /** To be called on every change of the control tables: a stop reaches the machine while it moves. */
  standingChanged(): void {
    if (!this.#running) return
    const refusal = heldBack(this.#running.order, this.#ports.context())
    if (refusal) this.#running.abort.abort(new DeviceFailure(refusal.reason))
  }

  /** The order with its program, by the digest that all five stages signed: the store may hold what it likes. */
  async #withProgram(order: VerifiedOrder): Promise<OrderVerdict> {
    try {
      const found = await programOf(order.command, order.intent, this.#ports.programs)
      return found.ok ? { ok: true, value: { ...order, program: found.value } } : refuse(order, found.reason, {})
    } catch (error) {
      if (error instanceof ProgramStoreError && error.retriable) return refuse(order, 'program-store-unavailable', {})
      throw error
    }
  }

  async #run(order: VerifiedOrder): Promise<Answer> {
    // Writing the journal and the ack took time, in which a stop may have come or the deadline gone by.
    const still = mayStillRun(order, { ...this.#context(), hasBegun: () => false })
    if (!still.ok) return { status: 'refused', reason: still.reason, measured: limitMet(still.detail) }
    const abort = new AbortController()
    this.#running = { order, abort }
    try {
      const measured = await this.#ports.handler(order, abort.signal)
      // A handler that ignored the signal has moved after the stop: that is no success.
      if (abort.signal.aborted) return failure(abort.signal.reason, measured)
      return { status: 'completed', reason: '', measured }
    } catch (error) {
      return failure(abort.signal.aborted ? abort.signal.reason : error, error instanceof DeviceFailure ? error.measured : {})
    } finally {
      this.#running = undefined
    }
  }

  async #refuse(order: Order, bytes: Buffer, refusal: OrderRefusal): Promise<void> {
    if (refusal.reason === 'already-run') return this.#ports.report('repeated', order, {})
    const answer: Answer = { status: 'refused', reason: refusal.reason, measured: limitMet(refusal.detail) }
    if (refusal.genuine) {
      const subject = subjectOf(refusal.genuine)
      // A genuine order that was refused once stays refused: lifting the stop does not bring it back.
      this.#enter('ended', subject, answer)
      await this.#tell(subject, answer)
    } else if (order.intentId.length <= 64 && order.jobId.length <= 128) {
      // The answer names the forged record, not the order it imitates: else a forgery could end the real one.
      const recordDigest = digest(bytes)
      await this.#send({ intentId: order.intentId, jobId: order.jobId, orderDigest: recordDigest, nonce: recordDigest }, answer)
    }
    this.#ports.report('refused', order, { reason: refusal.reason, ...refusal.detail })
  }

  #context(): OrderContext {
    const { journal, context } = this.#ports
    return { ...context(), hasBegun: (intentId) => journal.hasBegun(intentId), use: journal.use }
  }

  #enter(state: JournalEntry['state'], subject: Subject, answer: Answer | null): void {
    const { intentId, jobId, orderDigest, nonce, uses } = subject
    this.#ports.journal.enter({ state, intentId, jobId, orderDigest, nonce, at: this.#ports.context().now, uses, answer })
  }

  async #tell(subject: Subject, answer: Answer): Promise<void> {
    await this.#send(subject, answer)
    this.#enter('told', subject, answer)
  }

  async #send(
    { intentId, jobId, orderDigest, nonce }: Omit<Subject, 'uses'>,
    answer: Omit<Answer, 'status'> & { status: Ack['status'] },
  ): Promise<void> {
    const { device, now } = this.#ports.context()
    const statement = { intentId, device, orderDigest, nonce, ...answer, at: now }
    await this.#ports.send(await acknowledge(statement, jobId, this.#ports.signer))
  }
}

const subjectOf = ({ intent, orderDigest, obligations, uses }: VerifiedOrder): Subject => ({
  intentId: intent.intentId,
  jobId: obligations.jobId,
  orderDigest,
  nonce: obligations.nonce,
  uses: Object.fromEntries(Object.entries(uses).map(([name, { value, unit }]) => [name, { value, unit }])),
})

/** Of a refusal that is about a limit what its asker needs to ask again rightly, in the words that an ack has room for. */
function limitMet(detail: Detail): Measured {
  const met = limitMetSchema.safeParse(detail)
  if (!met.success) return {}
  const { parameter, asked, nearest, limitOf } = met.data
  const text = (value: typeof asked) => (typeof value === 'string' ? value : `${value.value} ${value.unit}`).slice(0, 200)
  return { parameter, asked: text(asked), ...(nearest !== undefined && { nearest: text(nearest) }), limitOf }
}

function failure(error: unknown, measured: Measured): Answer {
  const reason = error instanceof DeviceFailure ? error.reason : 'handler-error'
  return { status: 'failed', reason: reason.slice(0, 200), measured }
}
