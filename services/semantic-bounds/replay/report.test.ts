import type { Decision } from '@interlock/contracts'
import { describe, expect, it } from 'vitest'
import { changeReport, verifyReport } from './report.ts'
import { Usage } from './usage.ts'

const agent = 'spiffe://lab.interlock.example/agent/laser-operator/z1'

/** A decision on a cut under a grant of 0.08 kW, as it would be signed. */
function cut(power: string, verdict: 'ALLOW' | 'DENY' = 'ALLOW'): Decision {
  const limits = { power: { max: '0.08', unit: 'kW' }, speed: { min: '1', unit: 'mm/s' } }
  const statements = [
    { stage: 'delegation-check', verdict: 'ALLOW', obligations: { human: 'alice', grant: { limits, maxCount: 9 } } },
    { stage: 'semantic-bounds', verdict, obligations: { risk: 'low', quantities: { power: { value: power, unit: 'W' } } } },
  ]
  const signed = statements.map((statement) => ({ statement: Buffer.from(JSON.stringify(statement)) }))
  return { agent, device: 'laser-1', capability: 'laser.cut', statements: signed } as unknown as Decision
}

const usageOf = (decisions: readonly Decision[]) => {
  const usage = new Usage()
  for (const decision of decisions) usage.add(decision)
  return usage.broad()
}

describe('a scope', () => {
  it('is too broad where most of it was never used, in the unit of what was asked', () => {
    expect(usageOf(['5', '12', '20', '8', '10'].map((power) => cut(power)))).toEqual([
      {
        ...{ human: 'alice', agent, device: 'laser-1', capability: 'laser.cut', parameter: 'power', unit: 'W' },
        ...{ granted: '80', mostUsed: '20', share: 0.25, commands: 5 },
      },
    ])
  })

  it('is not where it was approached once, or too few commands say so, or none was allowed', () => {
    expect(usageOf(['5', '12', '20', '8', '70'].map((power) => cut(power)))).toEqual([])
    expect(usageOf(['5', '12', '20', '8'].map((power) => cut(power)))).toEqual([])
    expect(usageOf(Array.from({ length: 9 }, () => cut('5', 'DENY')))).toEqual([])
  })
})

describe('the report', () => {
  const nothing = { blocked: [], alwaysApproved: [] }

  it('says what would change and what became of it, and nothing of what there is not', () => {
    const common = { device: 'laser-1', capability: 'laser.cut', example: 'intent-1' }
    const difference = { ...common, from: 'ALLOW low', to: 'DENY outside-machine', count: 3, outcomes: { completed: 2, '': 1 } }
    const text = changeReport({ decisions: 7, differences: [difference], broadScopes: [] }, nothing, true)
    expect(text.split('\n')).toEqual([
      '7 decisions of semantic-bounds decided again, 3 would be others',
      '',
      'What would change',
      '  3 ×  ALLOW low → DENY outside-machine  laser-1 laser.cut  2 completed, 1 without outcome  intent-1',
    ])
  })

  it('says what repeats itself', () => {
    const at = { device: 'laser-1', capability: 'laser.cut' }
    const blocked = [{ ...at, stage: 'semantic-bounds', reason: 'outside-grant', agent, count: 4, jobs: 2 }]
    const alwaysApproved = [{ ...at, risk: 'medium', approved: 5, completed: 5 }]
    const text = changeReport({ decisions: 7, differences: [], broadScopes: [] }, { blocked, alwaysApproved }, false)
    expect(text).toContain(`4 ×  semantic-bounds: outside-grant  laser-1 laser.cut  2 jobs, ${agent}`)
    expect(text).toContain('5 ×  laser-1 laser.cut  risk medium  5 completed')
  })

  it('names each decision that does not come out the same', () => {
    const diverged = [{ at: 'decisions.semantic-bounds:0:7', intentId: 'intent-1', members: ['verdict'] }]
    const text = verifyReport({ decisions: 3, reproduced: 1, inputsMissing: 1, diverged })
    expect(text).toContain('1 of 3 decisions')
    expect(text).toContain('1 could not be decided again')
    expect(text).toContain('decisions.semantic-bounds:0:7  differs in verdict  intent-1')
  })
})
