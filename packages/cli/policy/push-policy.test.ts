import type { BoundsPolicy } from '@interlock/contracts'
import { describe, expect, it } from 'vitest'
import { nextPolicy } from './push-policy.ts'

const policy: BoundsPolicy = { kind: 'bounds', revision: 'lab', sequence: 1, wasm: 'AA', wasmSha256: 'A'.repeat(43), data: {} }
const required: BoundsPolicy = { ...policy, decisionPoint: 'required' }

describe('a policy that is pushed', () => {
  it('requires the decision point that the one before required', () =>
    expect(nextPolicy(policy, { replaced: required, sequence: 7 })).toEqual({ ...required, sequence: 7 }))

  it('that comes back from earlier days requires none that was retired since', () => {
    expect(nextPolicy(required, { replaced: policy, sequence: 7 })).toEqual({ ...policy, sequence: 7 })
    expect(nextPolicy(required, { replaced: undefined, sequence: 7 })).not.toHaveProperty('decisionPoint')
  })
})
