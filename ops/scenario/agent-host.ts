import { type Layout, readStackFile, signingKeyOf } from '@interlock/cli'
import { admit, type EnrolledAgent, enrolAgent, renewAgent } from '@interlock/sdk'
import { openTransport, pcrExtend, type TpmTransport } from '@interlock/tpm'
import type { SigningKey } from '@interlock/trust'
import { type RunningTpm, startTpm } from '../local/tpm.ts'

export type AgentHostRequest = {
  readonly layout: Layout
  /** The trust domain's. */
  readonly audience: string
  /** SPIFFE ID of the agent. */
  readonly subject: string
}

/** An agent on a host with a TPM: its key never leaves it, and the registry certifies it only while the host booted what was admitted. */
export class AgentHost {
  readonly subject: string
  readonly #request: AgentHostRequest
  readonly #tpm: RunningTpm
  readonly #transport: TpmTransport
  #agent: EnrolledAgent | undefined

  private constructor(request: AgentHostRequest, tpm: RunningTpm, transport: TpmTransport) {
    this.subject = request.subject
    this.#request = request
    this.#tpm = tpm
    this.#transport = transport
  }

  static async start(request: AgentHostRequest): Promise<AgentHost> {
    const tpm = await startTpm({
      directory: request.layout.directory,
      device: `host-of-${request.subject.split('/').slice(-2).join('-')}`,
    })
    return new AgentHost(request, tpm, await openTransport(tpm.address))
  }

  async stop(): Promise<void> {
    await this.#agent?.close()
    await this.#transport.close()
    await this.#tpm.stop()
  }

  /** The certified key in the TPM. */
  get key(): SigningKey {
    if (!this.#agent) throw new Error('the agent’s host is not enrolled yet')
    return this.#agent.key
  }

  /** An operator admits the host in its present state, and it proves itself. */
  async enrol(): Promise<void> {
    const operator = signingKeyOf(this.#request.layout, 'operator-dev')
    const { pcrs, pcrDigest } = this.#tpm.enrolment
    const platform = { pcrs: [...pcrs], pcrDigest }
    const admission = await admit({ subject: this.subject, platform }, { operator, audience: this.#request.audience })
    // A TPM has room for three keys, and enrolment needs them.
    await this.#agent?.close()
    this.#agent = undefined
    this.#agent = await enrolAgent(this.#enrolment(), admission)
  }

  /** The next certificate for the same key. @throws EnrolmentError where the host is not as it was admitted */
  async renew(): Promise<void> {
    const renewed = await renewAgent(this.#enrolment(), this.subject)
    await this.#agent?.close()
    this.#agent = renewed
  }

  /** What firmware would measure if the host were started with something else. */
  bootSomethingElse(): Promise<void> {
    return pcrExtend(this.#transport, 7, Buffer.alloc(32, 1))
  }

  #enrolment() {
    const registry = readStackFile(this.#request.layout).enrolment ?? ''
    return { registry, transport: this.#transport, pcrs: this.#tpm.enrolment.pcrs }
  }
}
