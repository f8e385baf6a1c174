import { type Codec, createCodec, readTopology } from '@interlock/contracts'
import { fetchSchemaIds, RegistryError } from '@interlock/contracts/registry'
import { murmur2Partitioner } from '@interlock/sdk'
import { Kafka, logLevel } from 'kafkajs'
import { CliError } from '../cli-error.ts'
import type { StackFile } from './stack-file.ts'

export type Connection = { readonly kafka: Kafka; readonly codec: Codec }

/** Connects to the running stack. @throws CliError naming the part that does not answer. */
export async function connect(stack: StackFile): Promise<Connection> {
  const topology = readTopology()
  const kafka = await connectBroker(stack)
  const ids = await fetchSchemaIds(stack.registry, topology).catch((cause: unknown) => {
    throw cause instanceof RegistryError && !cause.retriable ? cause : unavailable('schema registry', stack.registry, cause)
  })
  return { kafka, codec: createCodec({ topology, ids }) }
}

export async function connectBroker(stack: StackFile): Promise<Kafka> {
  const kafka = new Kafka({
    clientId: 'interlock-cli',
    brokers: [stack.kafka],
    logLevel: logLevel.NOTHING,
    retry: { retries: 2 },
  })
  const admin = kafka.admin()
  try {
    await admin.connect()
  } catch (cause) {
    throw unavailable('broker', stack.kafka, cause)
  } finally {
    await admin.disconnect()
  }
  return kafka
}

/** Writes one record and waits until the broker has it. */
export async function send({ kafka }: Connection, topic: string, key: string, value: Buffer): Promise<void> {
  const producer = kafka.producer({ idempotent: true, createPartitioner: murmur2Partitioner, allowAutoTopicCreation: false })
  await producer.connect()
  try {
    await producer.send({ topic, acks: -1, messages: [{ key, value }] })
  } finally {
    await producer.disconnect()
  }
}

function unavailable(what: string, where: string, cause: unknown): CliError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new CliError('unavailable', `the ${what} at ${where} does not answer: ${reason}`, 'Is `npm start` still running?')
}
