import { type InitResult, publishControlEntries } from '@interlock/cli'
import { createCodec, readTopology } from '@interlock/contracts'
import { fetchSchemaIds } from '@interlock/contracts/registry'
import kafkajs from 'kafkajs'
import type { Stack } from './stack.ts'

/** Writes the signed entries of a trust domain to the control tables. */
export async function publishEntries(stack: Pick<Stack, 'kafka' | 'registry'>, entries: InitResult['entries']): Promise<void> {
  const topology = readTopology()
  const codec = createCodec({ topology, ids: await fetchSchemaIds(stack.registry, topology) })
  const kafka = new kafkajs.Kafka({ clientId: 'interlock-ops', brokers: [stack.kafka], logLevel: kafkajs.logLevel.NOTHING })
  await publishControlEntries({ kafka, codec }, entries)
}
