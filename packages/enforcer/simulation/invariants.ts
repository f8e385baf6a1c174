import { eventId } from '@interlock/contracts'
import type { Broker } from './broker.ts'
import { counted, type Fact, readFact } from './facts.ts'

/** Whether a record can be read: what cannot is the dead letters'. */
export const isReadable = (value: Buffer | null): boolean => value !== null && value.length > 0 && value[0] === 0x7b

type Answers = { readonly broker: Broker; readonly consumer: string; readonly input: string; readonly output: string }

/** Readable inputs that count and have no counted answer, and unreadable ones without a dead letter that holds their bytes. */
export function unanswered({ broker, consumer, input, output }: Answers, isAnswered: (fact: unknown) => boolean): string[] {
  const answers = new Set<string | undefined>()
  for (const log of broker.partitions(output)) for (const { fact } of counted(log)) answers.add(fact.eventId)
  const parked = new Map(
    broker.partitions('deadletters').flatMap((log) =>
      log.map((record) => {
        const letter = readFact<{ eventId: string; value: { data: number[] } | null }>(record)
        return [letter.eventId, letter.value ? Buffer.from(letter.value.data) : null] as const
      }),
    ),
  )
  const missing: string[] = []
  const repeated = new Set<string>()
  for (const record of broker.partitions(input).flat()) {
    if (isReadable(record.value)) {
      const { eventId: named } = readFact<Fact>(record)
      if (named !== undefined && repeated.has(named)) continue
      if (named !== undefined) repeated.add(named)
    }
    const event = eventId(consumer, record)
    if (!isReadable(record.value)) {
      const bytes = parked.get(event)
      const isSame = record.value === null ? bytes === null : bytes?.equals(record.value)
      if (!isSame) missing.push(`${event} was not parked with its bytes`)
    } else if (isAnswered(readFact(record)) && !answers.has(event)) missing.push(`${event} has no answer`)
  }
  return missing
}

/** Answers in another partition than their input, or in another order than their inputs. */
export function outOfOrder({ broker, input, output }: Answers): string[] {
  const wrong: string[] = []
  for (const [partition, log] of broker.partitions(output).entries()) {
    let last = -1
    for (const { fact } of counted<Fact>(log)) {
      const [, topic, from, offset] = (fact.eventId ?? '').split(':')
      if (topic !== input) continue
      if (Number(from) !== partition) wrong.push(`${fact.eventId} lies in partition ${partition} of ${output}`)
      if (Number(offset) <= last) wrong.push(`${fact.eventId} lies after the answer to ${last} in ${output}`)
      last = Number(offset)
    }
  }
  return wrong
}
