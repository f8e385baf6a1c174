import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readBundle } from './bundle/bundle.ts'
import { PolicyModule } from './policy-module.ts'

/** Bundles as `opa build -t wasm -e interlock/bounds/decision` made them of the Rego beside them. */
const bundle = (name: string) => readBundle(readFileSync(new URL(`fixture/${name}.tar.gz`, import.meta.url)))

function load(name: string, data: Record<string, unknown>): PolicyModule {
  const loaded = PolicyModule.load(bundle(name).wasm, data)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.detail))
  return loaded.value
}

const numbers = (count: number) => ({ numbers: Array.from({ length: count }, (_, index) => index) })

describe('a policy module', () => {
  it('answers, the same again and again, for the same work', () => {
    const policy = load('trying', numbers(4))
    const answer = { ok: true, value: { refusals: [], risk: 'low' } }
    expect(policy.evaluate({})).toEqual(answer)
    const work = policy.work
    expect(policy.evaluate({})).toEqual(answer)
    expect(policy.work).toBe(work)
    expect(work).toBeGreaterThan(4 ** 4)
  })

  it('attack 76: one that would not end in time is stopped, each time, and is as good as new for the next question', () => {
    const policy = load('trying', numbers(200))
    for (const _time of [1, 2])
      expect(policy.evaluate({})).toMatchObject({ ok: false, reason: 'policy-work-exceeded', detail: { workMax: 5_000_000 } })
    expect(load('trying', numbers(3)).evaluate({})).toMatchObject({ ok: true })
  })

  it('attack 77: one that contradicts itself fails, though one of its rules would allow', () => {
    const policy = load('trying', { ...numbers(3), contradicts: true })
    expect(policy.evaluate({})).toMatchObject({
      ok: false,
      reason: 'policy-failed',
      detail: { error: expect.stringContaining('conflict') },
    })
  })

  it('attack 76: one that says nothing is no answer', () => {
    expect(load('trying', { ...numbers(3), silent: true }).evaluate({})).toMatchObject({ ok: false, reason: 'policy-undefined' })
  })

  it('attack 76: data beyond its memory leaves no policy', () => {
    expect(PolicyModule.load(bundle('trying').wasm, { text: 'x'.repeat(6_000_000) })).toMatchObject({
      ok: false,
      reason: 'policy-unusable',
    })
  })

  it('may want nothing of its host: what runs there is not counted, and may differ from call to call', () => {
    expect(PolicyModule.load(bundle('formatting').wasm, {})).toMatchObject({
      ok: false,
      reason: 'policy-unusable',
      detail: { error: expect.stringContaining('sprintf') },
    })
  })
})
