import { type Decision, type Intent, type Outcome, type Receipt, stageNames } from '@interlock/contracts'
import { type Connection, send } from '../stack/connect.ts'
import { type Followed, follow } from '../stack/follow.ts'
import { wordsOfDetail } from './limit-words.ts'

const topics = [...stageNames.map((stage) => `decisions.${stage}`), 'receipts', 'outcomes']

/** Submits an intent and prints each stage's verdict as it comes. Returns the outcome, or undefined where none came in time. */
export async function submitAndWatch(
  connection: Connection,
  intent: Intent,
  timeoutMs: number,
  print: (line: string) => void,
): Promise<Outcome | undefined> {
  const done = Promise.withResolvers<Outcome | undefined>()
  const started = { at: 0 }
  const take = (record: Followed) => {
    const seen = stepOf(connection, record, intent.intentId)
    if (!seen) return
    print(`${String(Date.now() - started.at).padStart(6)} ms  ${seen.line}`)
    if (seen.outcome) done.resolve(seen.outcome)
  }
  const stop = await follow(connection.kafka, topics, take)
  const timer = setTimeout(() => done.resolve(undefined), timeoutMs)
  try {
    print(`intent ${intent.intentId}, ${intent.jobId}: ${intent.command.toString('utf8')}`)
    started.at = Date.now()
    await send(connection, 'intents', intent.jobId, connection.codec.encode('intents', intent))
    const outcome = await done.promise
    if (!outcome) print(`no outcome in ${timeoutMs / 1000} s: the intent goes on without you`)
    return outcome
  } finally {
    clearTimeout(timer)
    await stop()
  }
}

function stepOf(
  { codec }: Connection,
  { topic, value }: Followed,
  intentId: string,
): { line: string; outcome?: Outcome } | undefined {
  const decoded = codec.decode(topic, value)
  if (!decoded.ok) return undefined
  const record = decoded.value as Decision | Receipt | Outcome
  if (record.intentId !== intentId) return undefined
  if (topic === 'outcomes') {
    const outcome = record as Outcome
    return { line: `outcome            ${outcome.status.toUpperCase()} by ${outcome.stage} ${why(outcome)}`, outcome }
  }
  if (topic === 'receipts') {
    const receipt = record as Receipt
    return {
      line: `device             ${receipt.status || receipt.result} (${receipt.result}) ${receipt.measured} ${why(receipt)}`,
    }
  }
  const decision = record as Decision
  const hint = decision.verdict === 'ESCALATE' ? `  →  interlock approve allow ${intentId} --as bob` : ''
  return { line: `${decision.stage.padEnd(18)} ${decision.verdict} ${why(decision)}${hint}` }
}

const why = ({ reasons, detail }: { reasons: string[]; detail: string }) =>
  reasons.length > 0 ? `${reasons.join(', ')} ${wordsOfDetail(detail)}`.trim() : ''
