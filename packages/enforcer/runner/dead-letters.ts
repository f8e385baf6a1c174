import { type DeadLetter, type EventId, eventId } from '@interlock/contracts'
import type { LogRecord } from '../kafka-port.ts'

export const deadLetterTopic = 'deadletters'

/** A record that could not be read, with its bytes as they came (ATTACKS "park"). */
export function deadLetter(consumer: string, record: LogRecord, reason: string, detail: object, now: number): DeadLetter {
  return {
    eventId: eventId(consumer, record) satisfies EventId,
    consumer,
    topic: record.topic,
    partition: record.partition,
    offset: record.offset,
    reason,
    detail: JSON.stringify(detail),
    key: record.key,
    value: record.value,
    recordedAt: now,
  }
}
