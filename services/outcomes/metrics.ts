import type { OutcomeStatus } from '@interlock/contracts'
import { Counter, type Registry } from 'prom-client'

export function outcomeCounter(registry: Registry): (status: OutcomeStatus) => void {
  const outcomes = new Counter({
    name: 'interlock_outcomes_total',
    help: 'Intents by what became of them',
    labelNames: ['status'],
    registers: [registry],
  })
  return (status) => outcomes.inc({ status })
}
