import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { awayGauge, metricsObserver } from './metrics.ts'
import type { Write } from './processor.ts'

test('counts decisions by verdict and first reason, dead letters, and memories dropped', async () => {
  const registry = new Registry()
  const observer = metricsObserver(registry)
  const record = { verdict: 'DENY', reasons: ['replayed', 'other'] } as unknown as Write['record']
  observer.answered([{ topic: 'decisions.identity-verify', key: 'job-1', record }], 2, 12)
  observer.parked('intents', 'tombstone')
  observer.diverged(0, 'another instance answered first')
  awayGauge(registry).set({ dependency: 'kafka' }, 1)
  const text = await registry.metrics()
  expect(text).toContain('interlock_decisions_total{verdict="DENY",reason="replayed"} 1')
  expect(text).toContain('interlock_inputs_total 2')
  expect(text).toContain('interlock_deadletters_total{topic="intents",reason="tombstone"} 1')
  expect(text).toContain('interlock_diverged_total 1')
  expect(text).toContain('interlock_dependency_away{dependency="kafka"} 1')
})
