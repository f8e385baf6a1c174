import type { BoundsPolicy } from '@interlock/contracts'
import { BoundsPolicies, type PolicyBundle, type PolicyDecision, type PolicyInput } from '@interlock/policy'
import { digest } from '@interlock/trust'
import { CliError } from '../cli-error.ts'

/** A command of no consequence: a policy may refuse it, but it must have a whole decision on it. */
const sample: PolicyInput = {
  ...{ device: 'laser-1', capability: 'laser.cut', human: 'alice', agent: 'spiffe://lab.interlock.example/agent/x/1' },
  ...{ job: 'job-1', risk: 'low', quantities: { power: 10, speed: 100 }, choices: {}, program: null },
}

/** What control.policies can carry: an entry is a record of two megabytes at most, and carries the module as base64url. */
const wasmBytesMax = 1_000_000

/** The value of the entry under which a policy comes into force. */
export function boundsPolicyOf({ revision, wasm, data }: PolicyBundle, sequence: number): BoundsPolicy {
  return { kind: 'bounds', revision, sequence, wasm: wasm.toString('base64url'), wasmSha256: digest(wasm), data: { ...data } }
}

/** Asks a policy as the stage would. @throws CliError where it is none that a stage could use */
export function tryPolicy(policy: BoundsPolicy): PolicyDecision {
  if (policy.wasm.length > (wasmBytesMax * 4) / 3)
    throw new CliError(
      'no',
      `its module is larger than ${wasmBytesMax} bytes`,
      'Put what is large into data.json, or make it smaller.',
    )
  const answer = new BoundsPolicies().ask(policy, sample)
  if (answer.ok) return answer.value
  const advice = 'Each command would be refused for it. See ops/policies/README.md for what a policy must be.'
  throw new CliError('no', `the stage could not use it: ${answer.reason} ${JSON.stringify(answer.detail)}`, advice)
}
