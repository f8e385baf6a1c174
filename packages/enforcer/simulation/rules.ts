import { BudgetLedger } from '@interlock/bounds'
import type { Kafka } from '../kafka-port.ts'
import type { Processor } from '../processor.ts'
import { Answered } from '../runner/answered.ts'
import { OwnWrites } from '../runner/own-writes.ts'
import { Repeats } from '../runner/repeats.ts'
import { eagerCommits, unawaited, unplaced } from './broken-ports.ts'

/** One of the runner's rules, and how it is switched off for a trial: production code has no switch for it. */
export type Rule = {
  readonly name: string
  /** The scenario that shows it. */
  readonly seenBy: 'budget' | 'router' | 'dispatch'
  /** Puts a broken port between runner and broker. */
  readonly port?: (kafka: Kafka) => Kafka
  readonly processor?: (processor: Processor<unknown>) => Processor<unknown>
  /** Breaks a class of the runner; what is returned mends it. */
  readonly break?: () => () => void
}

/** Puts another method in a method's place until it is mended. */
function replace<Of extends object, Name extends keyof Of>(target: Of, name: Name, broken: Of[Name]): () => void {
  const whole = target[name]
  target[name] = broken
  return () => {
    target[name] = whole
  }
}

export const rules: readonly Rule[] = [
  {
    name: 'inputs wait until own outputs are read',
    seenBy: 'budget',
    port: unawaited,
  },
  {
    name: 'what own outputs answer is not answered again',
    seenBy: 'dispatch',
    break: () => replace(Answered.prototype, 'take', () => false),
  },
  {
    name: 'the offset is committed after the write',
    seenBy: 'budget',
    port: eagerCommits,
  },
  {
    name: 'repeats of an event are dropped',
    seenBy: 'budget',
    break: () => replace(Repeats.prototype, 'has', () => false),
  },
  {
    name: 'memory is dropped when somebody else wrote',
    seenBy: 'budget',
    break: () => {
      const mendLanded = replace(OwnWrites.prototype, 'landed', () => true)
      const mendReadBack = replace(OwnWrites.prototype, 'readBack', () => 'foreign')
      return () => {
        mendLanded()
        mendReadBack()
      }
    },
  },
  {
    name: 'an order that may be lacking is sent again',
    seenBy: 'dispatch',
    processor: ({ repeat: _, ...processor }) => processor,
  },
  {
    name: 'an answer counts only where its writer expected it',
    seenBy: 'budget',
    port: unplaced,
  },
  {
    name: 'a budget is charged at every holder above',
    seenBy: 'budget',
    break: () => {
      const { shortage } = BudgetLedger.prototype
      return replace(BudgetLedger.prototype, 'shortage', function (this: BudgetLedger<unknown>, held, amounts) {
        return shortage.call(this, held.slice(-1), amounts)
      })
    },
  },
  {
    name: 'what is reserved stays charged until its end is told',
    seenBy: 'budget',
    break: () => {
      const { reserve } = BudgetLedger.prototype
      return replace(BudgetLedger.prototype, 'reserve', function (this: BudgetLedger<unknown>, reservation) {
        const ended = reserve.call(this, reservation)
        if (!ended) this.end(reservation.names[0] ?? '', { kind: 'returned' }, reservation.at)
        return ended
      })
    },
  },
  {
    name: 'a holder that memory does not know is refused or has spent what was carried',
    seenBy: 'budget',
    break: () => {
      const mendKnown = replace(BudgetLedger.prototype, 'knows', () => true)
      const { reserve } = BudgetLedger.prototype
      const mendCarried = replace(BudgetLedger.prototype, 'reserve', function (this: BudgetLedger<unknown>, reservation) {
        return reserve.call(this, { ...reservation, spent: {} })
      })
      return () => {
        mendKnown()
        mendCarried()
      }
    },
  },
  {
    name: 'an input waits for what it rests on',
    seenBy: 'dispatch',
    processor: ({ lacks: _, ...processor }) => processor,
  },
]
