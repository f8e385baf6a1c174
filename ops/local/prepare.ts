import { applyDdl } from '@interlock/audit/ddl'
import { readTopology } from '@interlock/contracts'
import { registerSchemas } from '@interlock/contracts/registry'
import { applyTopics } from '@interlock/contracts/topic-admin'
import kafkajs from 'kafkajs'
import { clickHouseUrl, type Stack } from './stack.ts'

/** Brings the parts to what the repository says: topics.yaml, schemas/, ops/clickhouse/. Changes nothing where they are so. */
export async function prepareStack(stack: Pick<Stack, 'kafka' | 'registry' | 'clickhouse'>): Promise<void> {
  await Promise.all([
    prepareTopics(stack.kafka),
    registerSchemas(stack.registry, readTopology()),
    applyDdl(clickHouseUrl(stack.clickhouse, 'admin')),
  ])
}

export async function prepareTopics(kafka: string): Promise<void> {
  const admin = new kafkajs.Kafka({ clientId: 'interlock-ops', brokers: [kafka], logLevel: kafkajs.logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    await applyTopics(admin, readTopology())
  } finally {
    await admin.disconnect()
  }
}
