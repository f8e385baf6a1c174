import { accepted, type BoundsPolicy, type Result, refused } from '@interlock/contracts'
import { digest, equalDigest } from '@interlock/trust'
import { z } from 'zod'
import { type ModuleReason, PolicyModule } from './policy-module.ts'

export type PolicyReason = ModuleReason | 'policy-digest' | 'policy-malformed'

/** What Rego sees: numbers in the units of the device's profile, already inside machine and grant. */
export type PolicyInput = {
  readonly device: string
  readonly capability: string
  readonly human: string
  readonly agent: string
  readonly job: string
  readonly risk: PolicyDecision['risk']
  readonly quantities: Readonly<Record<string, number>>
  readonly choices: Readonly<Record<string, string>>
  readonly program: { readonly seconds: number; readonly feedMax: number; readonly spindleMax: number } | null
}

const policyDecisionSchema = z.strictObject({
  refusals: z.array(z.string().max(80)).max(16),
  risk: z.enum(['low', 'medium', 'high']),
})
export type PolicyDecision = z.infer<typeof policyDecisionSchema>

type Loaded = Result<PolicyModule, 'policy-unusable' | 'policy-digest'>

/** Policies as control.policies has them, each compiled once: a newer entry is another object, loaded when it is first asked. */
export class BoundsPolicies {
  readonly #loaded = new WeakMap<BoundsPolicy, Loaded>()

  /** Asks the policy. Whatever is not a whole, well-formed decision is a refusal (ATTACKS 76, 77). */
  ask(policy: BoundsPolicy, input: PolicyInput): Result<PolicyDecision, PolicyReason> {
    const loaded = this.#loaded.get(policy) ?? load(policy)
    this.#loaded.set(policy, loaded)
    if (!loaded.ok) return loaded
    const result = loaded.value.evaluate(input)
    if (!result.ok) return result
    const decision = policyDecisionSchema.safeParse(result.value)
    return decision.success ? accepted(decision.data) : refused('policy-malformed')
  }
}

function load({ wasm, wasmSha256, data }: BoundsPolicy): Loaded {
  const bytes = Buffer.from(wasm, 'base64url')
  if (!equalDigest(digest(bytes), wasmSha256)) return refused('policy-digest', { wanted: wasmSha256 })
  return PolicyModule.load(bytes, data)
}

/** How a decision names the policy that it was taken under: what the policy calls itself, and its place in the one order that only grows. */
export const policyName = ({ revision, sequence }: Pick<BoundsPolicy, 'revision' | 'sequence'>) => `${revision}@${sequence}`

/** The place in that order, of a decision's `policy`; undefined where it names none. */
export function sequenceOf(name: string): number | undefined {
  const found = /@(\d{1,16})$/.exec(name)?.[1]
  return found === undefined ? undefined : Number(found)
}
