import { type Layout, readStackFile, signingKeyOf } from '@interlock/cli'
import { admit, type EnrolledAgent, enrolAgent, renewAgent } from '@interlock/sdk'
import type { SoftwarePasskey } from '@interlock/sdk/software-passkey'
import { agentSpiffeId } from '@interlock/sdk/trust-domain'
import { openTransport, pcrExtend, type TpmTransport } from '@interlock/tpm'
import type { SigningKey } from '@interlock/trust'
import { type RunningTpm, startTpm } from '../local/tpm.ts'
import { obtainTokens } from './obtain-tokens.ts'

export type AgentHostRequest = {
  readonly layout: Layout
  /** SPIFFE names of the trust domain's own audience. */
  readonly audience: string
  /** Of the human who starts its job. */
  readonly passkey: SoftwarePasskey
}

/** A laser operator on a host with a TPM: its key never leaves it, and the registry certifies it only while the host booted what was admitted. */
export class AgentHost {
  readonly subject = agentSpiffeId('laser-operator', 'tpm1')
  readonly #request: AgentHostRequest
  readonly #tpm: RunningTpm
  readonly #transport: TpmTransport
  #agent: EnrolledAgent | undefined

  private constructor(request: AgentHostRequest, tpm: RunningTpm, transport: TpmTransport) {
    this.#request = request
    this.#tpm = tpm
    this.#transport = transport
  }

  static async start(request: AgentHostRequest): Promise<AgentHost> {
    const tpm = await startTpm({ directory: request.layout.directory, device: 'agent-host' })
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

  /** A job of the human's for this agent: consent, root token, exchange. */
  tokensFor(job: string): Promise<readonly string[]> {
    const { layout, passkey } = this.#request
    return obtainTokens({ layout, passkey, key: this.key, job })
  }

  #enrolment() {
    const registry = readStackFile(this.#request.layout).enrolment ?? ''
    return { registry, transport: this.#transport, pcrs: this.#tpm.enrolment.pcrs }
  }
}
