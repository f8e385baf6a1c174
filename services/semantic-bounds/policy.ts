import { accepted, type BoundsPolicy, type Result, refused } from '@interlock/contracts'
import type { Risk } from '@interlock/enforcer'
import { digest, equalDigest } from '@interlock/trust'
import { loadPolicy } from '@open-policy-agent/opa-wasm'
import { z } from 'zod'

export type PolicyReason = 'policy-digest' | 'policy-unusable' | 'policy-failed' | 'policy-undefined' | 'policy-malformed'

/** What Rego sees: numbers in the units of the device's profile, already inside machine and grant. */
export type PolicyInput = {
  readonly device: string
  readonly capability: string
  readonly human: string
  readonly agent: string
  readonly job: string
  readonly risk: Risk
  readonly quantities: Readonly<Record<string, number>>
  readonly choices: Readonly<Record<string, string>>
  readonly program: { readonly seconds: number; readonly feedMax: number; readonly spindleMax: number } | null
}

const decisionSchema = z.strictObject({ refusals: z.array(z.string().max(80)).max(16), risk: z.enum(['low', 'medium', 'high']) })
export type PolicyDecision = z.infer<typeof decisionSchema>

type Loaded = Awaited<ReturnType<typeof loadPolicy>>

/** Pages of 64 kB: a policy that needs more fails, and a failing policy is a refusal. */
const memory = { initial: 5, maximum: 64 }

/** Compiled modules by digest: a policy is compiled once, not for each command. */
export class Policies {
  #digest = ''
  #loaded: Promise<Loaded> | undefined

  /** Asks the policy. Whatever is not a whole, well-formed decision is a refusal (ATTACKS 76). */
  async ask({ wasm, wasmSha256, data }: BoundsPolicy, input: PolicyInput): Promise<Result<PolicyDecision, PolicyReason>> {
    const module = Buffer.from(wasm, 'base64url')
    if (this.#digest !== wasmSha256) {
      if (!equalDigest(digest(module), wasmSha256)) return refused('policy-digest', { wanted: wasmSha256 })
      this.#loaded = loadPolicy(module, memory)
      this.#digest = wasmSha256
    }
    let results: unknown
    try {
      const policy = (await this.#loaded) as Loaded
      policy.setData(data)
      results = policy.evaluate(input, 'interlock/bounds/decision')
    } catch (error) {
      this.#digest = ''
      return refused('policy-failed', { error: error instanceof Error ? error.message.slice(0, 200) : 'unknown' })
    }
    const result = resultSchema.safeParse(results)
    if (!result.success) return refused('policy-undefined')
    const decision = decisionSchema.safeParse(result.data[0]?.result)
    return decision.success ? accepted(decision.data) : refused('policy-malformed')
  }
}

const resultSchema = z.array(z.object({ result: z.unknown() })).length(1)
