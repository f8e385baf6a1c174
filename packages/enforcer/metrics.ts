import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Write } from './processor.ts'
import type { Observer } from './runner/observer.ts'

/** Counts what a runner does. Reason codes are closed unions, so a sender cannot make new series. */
export function metricsObserver(registry: Registry): Observer {
  const registers = [registry]
  const decisions = new Counter({
    name: 'interlock_decisions_total',
    help: 'Decisions written',
    labelNames: ['verdict', 'reason'],
    registers,
  })
  const inputs = new Counter({ name: 'interlock_inputs_total', help: 'Inputs answered or passed over', registers })
  const parked = new Counter({
    name: 'interlock_deadletters_total',
    help: 'Records parked',
    labelNames: ['topic', 'reason'],
    registers,
  })
  const diverged = new Counter({
    name: 'interlock_diverged_total',
    help: 'Memories dropped because another instance had answered',
    registers,
  })
  const restoreSeconds = new Histogram({ name: 'interlock_restore_seconds', help: 'Time to restore a partition', registers })
  const ageSeconds = new Histogram({
    name: 'interlock_answer_seconds',
    help: 'Age of the oldest input of a batch when its answer was written',
    buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 30],
    registers,
  })
  return {
    answered(writes, count, oldestMs) {
      inputs.inc(count)
      ageSeconds.observe(Math.max(0, oldestMs) / 1000)
      for (const write of writes) countDecision(decisions, write)
    },
    parked: (topic, reason) => parked.inc({ topic, reason }),
    restored: (_partition, ms) => restoreSeconds.observe(ms / 1000),
    diverged: () => diverged.inc(),
  }
}

function countDecision(decisions: Counter<'verdict' | 'reason'>, { record }: Write): void {
  if ('verdict' in record) decisions.inc({ verdict: record.verdict, reason: record.reasons[0] ?? '' })
}

/** 1 while a broker or registry does not answer. */
export function awayGauge(registry: Registry): Gauge<'dependency'> {
  return new Gauge({
    name: 'interlock_dependency_away',
    help: '1 while it does not answer',
    labelNames: ['dependency'],
    registers: [registry],
  })
}
