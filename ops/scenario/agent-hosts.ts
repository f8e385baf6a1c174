import type { Layout } from '@interlock/cli'
import type { SoftwarePasskey } from '@interlock/sdk/software-passkey'
import { agentSpiffeId } from '@interlock/sdk/trust-domain'
import { AgentHost } from './agent-host.ts'
import { obtainTokens } from './obtain-tokens.ts'

/** An orchestrator and a laser operator, each on a host with a TPM of its own. */
export class AgentHosts {
  readonly orchestrator: AgentHost
  readonly operator: AgentHost
  readonly #layout: Layout

  private constructor(layout: Layout, orchestrator: AgentHost, operator: AgentHost) {
    this.#layout = layout
    this.orchestrator = orchestrator
    this.operator = operator
  }

  static async start(layout: Layout, audience: string): Promise<AgentHosts> {
    // One after the other: at their first start their TPMs are certified by one CA.
    const orchestrator = await AgentHost.start({ layout, audience, subject: agentSpiffeId('job-orchestrator', 'tpm1') })
    try {
      const operator = await AgentHost.start({ layout, audience, subject: agentSpiffeId('laser-operator', 'tpm1') })
      return new AgentHosts(layout, orchestrator, operator)
    } catch (error) {
      await orchestrator.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    await Promise.all([this.orchestrator.stop(), this.operator.stop()])
  }

  async enrol(): Promise<void> {
    await Promise.all([this.orchestrator.enrol(), this.operator.enrol()])
  }

  /** A job of a human's, asked for by the orchestrator and handed on to the operator. */
  tokensFor(passkey: SoftwarePasskey, job: string): Promise<readonly string[]> {
    return obtainTokens({ layout: this.#layout, passkey, orchestrator: this.orchestrator.key, key: this.operator.key, job })
  }
}
