import { stripVTControlCharacters } from 'node:util'
import { type Ack, stageNames } from '@interlock/contracts'
import type { Expectation } from './case.ts'
import type { Step } from './watch.ts'

const colours = process.stdout.isTTY && !process.env.NO_COLOR
const paint = (code: number, text: string) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text)
export const green = (text: string) => paint(32, text)
export const red = (text: string) => paint(31, text)
export const dim = (text: string) => paint(2, text)
export const bold = (text: string) => paint(1, text)

const short: Record<string, string> = {
  'identity-verify': 'identity',
  'delegation-check': 'delegation',
  'semantic-bounds': 'bounds',
  'approval-router': 'approval',
  'device-dispatch': 'dispatch',
}

/** A line that grows in place on a terminal; elsewhere nothing is shown before its end. */
export class LiveLine {
  show(text: string): void {
    if (!colours) return
    const width = (process.stdout.columns ?? 80) - 1
    process.stdout.write(`\r\u001b[2K${stripVTControlCharacters(text).slice(0, width)}`)
  }

  end(): void {
    if (colours) process.stdout.write('\r\u001b[2K')
  }
}

/** One line: each stage's verdict, reason and time since the step before, then what the device and the outcome said. */
export function lineOf(steps: readonly Step[], submittedAtMs: number): string {
  let before = submittedAtMs
  const parts: string[] = []
  for (const step of ordered(steps)) {
    const took = dim(`${Math.max(0, step.atMs - before)}ms`)
    before = step.atMs
    const words = wordsOf(step)
    if (words) parts.push(`${words} ${took}`)
  }
  return parts.join(' → ')
}

/** Steps come from several topics; the flow's own order reads better than the order of arrival. */
function ordered(steps: readonly Step[]): Step[] {
  const rank = (step: Step): number => {
    if (step.kind === 'decision') return stageNames.indexOf(step.record.stage) * 2 + (step.record.verdict === 'ESCALATE' ? 0 : 1)
    return { order: 20, ack: 21, receipt: 22, outcome: 30 }[step.kind]
  }
  return [...steps].sort((a, b) => rank(a) - rank(b) || a.atMs - b.atMs)
}

function wordsOf(step: Step): string {
  if (step.kind === 'decision') {
    const { stage, verdict, reasons } = step.record
    const name = short[stage] ?? stage
    if (verdict === 'ALLOW') return `${name} ${green('✓')}`
    return verdict === 'ESCALATE' ? `${name} ${bold('⏸ asks a human')}` : `${name} ${red(`✗ ${reasons.join(', ')}`)}`
  }
  if (step.kind === 'receipt') {
    const { result, status, reasons } = step.record
    return result === 'verified' ? `device ${status} ${green('✓ TPM')}` : `ack ${red(`✗ ${result} ${reasons.join(', ')}`)}`
  }
  if (step.kind === 'ack' && step.record.status === 'refused') return `device ${red(`✗ refuses: ${reasonOf(step.record)}`)}`
  return step.kind === 'outcome' ? bold(step.record.status) : ''
}

const reasonOf = ({ statement }: Ack): string => JSON.parse(statement.toString('utf8')).reason

/** What differs between what was expected and what was seen; empty where nothing does. */
export function differences(expected: Expectation, steps: readonly Step[]): string[] {
  const found: string[] = []
  const outcomes = steps.filter((step) => step.kind === 'outcome')
  const statuses = outcomes.map((step) => step.record.status).join(', ') || 'none'
  if (statuses !== expected.outcome) found.push(`outcome expected ${expected.outcome}, was ${statuses}`)
  const orders = steps.filter((step) => step.kind === 'order')
  if (orders.length !== expected.orders) found.push(`orders expected ${expected.orders}, were ${orders.length}`)
  if (expected.refusal) {
    const { by, reason } = expected.refusal
    const refused = steps.some(
      (step) =>
        (step.kind === 'decision' &&
          step.record.stage === by &&
          step.record.verdict === 'DENY' &&
          step.record.reasons.includes(reason)) ||
        (step.kind === 'receipt' &&
          by === 'device-dispatch' &&
          step.record.result === 'rejected' &&
          step.record.reasons.includes(reason)) ||
        (step.kind === 'ack' && by === 'device' && step.record.status === 'refused' && reasonOf(step.record) === reason),
    )
    if (!refused) found.push(`${by} was expected to refuse with ${reason}`)
  }
  return found
}
