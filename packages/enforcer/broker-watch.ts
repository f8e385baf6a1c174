import { setTimeout as wait } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import { backoffMs } from './runner/backoff.ts'
import type { Outage } from './runner/outage.ts'

const watchMs = 2000

/** Tries until it succeeds, saying once that the broker is away; undefined where the service was told to stop meanwhile. */
export async function untilBroker<Value>(
  attempt: () => Promise<Value>,
  outage: Outage,
  signal: AbortSignal,
): Promise<Value | undefined> {
  for (let count = 0; !signal.aborted; count += 1) {
    try {
      const value = await attempt()
      outage.back('kafka')
      return value
    } catch (error) {
      outage.away('kafka', error as Error)
      await wait(backoffMs(count), undefined, { signal }).catch(() => {})
    }
  }
  return undefined
}

/** Says when the broker is away, for a service that asks it only when it is asked. Ends with the signal. */
export async function watchBroker(kafka: Kafka, topic: string, outage: Outage, signal: AbortSignal): Promise<void> {
  const admin = kafka.admin({ retry: { retries: 1, initialRetryTime: 200 } })
  while (!signal.aborted) {
    try {
      await admin.connect()
      await admin.fetchTopicOffsets(topic)
      outage.back('kafka')
    } catch (error) {
      outage.away('kafka', error as Error)
    }
    await wait(watchMs, undefined, { signal }).catch(() => {})
  }
  await admin.disconnect().catch(() => {})
}
