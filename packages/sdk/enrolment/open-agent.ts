import { X509Certificate } from 'node:crypto'
import type { SigningKey } from '@interlock/trust'
import { type AgentIdentity, openIdentity } from './agent-identity.ts'
import { EnrolmentError } from './registry-client.ts'

/** Milliseconds until a renewal that failed is tried again. */
const retryAfter = 60_000

export type AgentEvents = {
  /**
   * There is a next certificate, and `key` signs by it: tokens are bound to the one before, so have them renewed here. The agent changes over when this resolves.
   */
  readonly onRenewed?: (key: SigningKey) => Promise<void>
  /** A renewal failed; it is tried again each minute, and the present certificate counts until its end. */
  readonly onFailure?: (error: unknown) => void
}

/**
 * An enrolled agent, by the profile that `interlock agent enroll` wrote. Its certificate is renewed at half of its life, in the background, for as long as
 * the process runs: it does not keep the process alive. @throws EnrolmentError, TpmError, SigningKeyError
 */
export async function openAgent(directory: string, events: AgentEvents = {}): Promise<Agent> {
  const agent = new Agent(await openIdentity(directory), events)
  try {
    await agent.start()
    return agent
  } catch (error) {
    await agent.close()
    throw error
  }
}

class Agent {
  readonly #identity: AgentIdentity
  readonly #events: AgentEvents
  #key: SigningKey
  #timer: NodeJS.Timeout | undefined
  #renewal: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(identity: AgentIdentity, events: AgentEvents) {
    this.#identity = identity
    this.#events = events
    this.#key = identity.present
  }

  /** Signs as the agent. Ask for it anew for each intent: it changes at a renewal. @throws EnrolmentError where no renewal came in time */
  get key(): SigningKey {
    if (Date.now() < lifeOf(this.#key).until) return this.#key
    throw new EnrolmentError('certificate-expired', `the certificate of ${this.#key.spiffeId} ended: see why its renewals failed`)
  }

  /** When the present certificate ends, milliseconds since 1970. */
  get until(): number {
    return lifeOf(this.#key).until
  }

  /** What is past its half is renewed at once; where that fails, what is left of it is used. */
  async start(): Promise<void> {
    const { half, until } = lifeOf(this.#key)
    if (Date.now() < half) return this.#schedule(half - Date.now())
    try {
      await this.#renew()
    } catch (error) {
      if (Date.now() >= until) throw error
      this.#failed(error)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#renewal
    await this.#identity.close()
  }

  #schedule(milliseconds: number): void {
    if (this.#isClosed) return
    this.#timer = setTimeout(() => {
      this.#renewal = this.#renew().catch((error) => this.#failed(error))
    }, milliseconds).unref()
  }

  async #renew(): Promise<void> {
    const next = await this.#identity.next(this.#key)
    await this.#events.onRenewed?.(next)
    this.#key = next
    this.#schedule(Math.max(0, lifeOf(next).half - Date.now()))
  }

  #failed(error: unknown): void {
    this.#events.onFailure?.(error)
    this.#schedule(retryAfter)
  }
}

export type { Agent }

/** Milliseconds since 1970 of the middle and of the end of a key's certificate. */
function lifeOf({ chain }: SigningKey): { readonly half: number; readonly until: number } {
  const { validFromDate, validToDate } = new X509Certificate(chain[0] as Buffer)
  const until = validToDate.getTime()
  return { half: (validFromDate.getTime() + until) / 2, until }
}
