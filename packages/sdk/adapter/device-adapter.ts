import { setTimeout } from 'node:timers/promises'
import type { Ack, Codec } from '@interlock/contracts'
import type { ProgramStore } from '@interlock/programs'
import { VerifiedRoots } from '@interlock/trust'
import type { EachMessagePayload, Kafka } from 'kafkajs'
import type { Logger } from 'pino'
import { murmur2Partitioner } from '../orchestrator/partition.ts'
import type { AckSigner } from './acknowledge.ts'
import { ControlFold, type ControlReader, readControlTables } from './control-reader.ts'
import type { DeviceTrust } from './device-trust.ts'
import { JournalError, OrderJournal } from './journal.ts'
import { type Handler, OrderRunner } from './order-runner.ts'

export type DeviceAdapterSettings = {
  readonly device: string
  readonly kafka: Kafka
  readonly codec: Codec
  readonly trust: DeviceTrust
  /** File of the journal; on a disk that survives a restart. */
  readonly journal: string
  readonly signer: AckSigner
  readonly handler: Handler
  /** Where large programs lie (`openProgramStore` of @interlock/programs). */
  readonly programs?: ProgramStore
  readonly log: Logger
  /** Called when the adapter has stopped for good: its control tables or its journal can no longer be relied on. */
  readonly onFailure: (error: Error) => void
}

const SKEW_MS = 30_000
const HEARTBEAT_MS = 3_000
const RETRY_MS = 500
const TABLES = ['control.stops', 'control.revocations', 'control.federation', 'control.devices'] as const

/** Connects a device to its orders: reads stops, revocations, partners' roots and its own profile first, then takes orders one after the other and answers each. */
export async function startDeviceAdapter(settings: DeviceAdapterSettings): Promise<{ stop: () => Promise<void> }> {
  const { device, kafka, codec, trust, log } = settings
  const journal = OrderJournal.open(settings.journal)
  const verifiedRoots = new VerifiedRoots()
  const fold = new ControlFold(codec, trust.anchors)
  let standing = readStanding(fold)
  let profile = fold.table('control.devices').get(device)
  const producer = kafka.producer({ idempotent: true, createPartitioner: murmur2Partitioner, allowAutoTopicCreation: false })
  const consumer = kafka.consumer({ groupId: `device-${device}`, maxWaitTimeInMs: 20, minBytes: 1, sessionTimeout: 15_000 })

  const runner = new OrderRunner({
    journal,
    signer: settings.signer,
    handler: settings.handler,
    ...(settings.programs && { programs: settings.programs }),
    send: (ack) => send(ack),
    context: () => ({ device, trust, codec, standing, profile, now: Date.now(), skewMs: SKEW_MS, verifiedRoots }),
    report: (event, order, detail) => log.info({ event, intentId: order.intentId, ...detail }, `order ${event}`),
  })

  let stopping = false

  /** An answer is never given up: while the broker is away the device waits, and takes no further order. */
  async function send(ack: Ack): Promise<void> {
    const messages = [{ key: device, value: codec.encode('acks', ack) }]
    for (let isSaid = false; ; isSaid = true) {
      try {
        await producer.send({ topic: 'acks', acks: -1, messages })
        if (isSaid) log.info({ intentId: ack.intentId }, 'the broker is back')
        return
      } catch (error) {
        if (stopping) throw error
        if (!isSaid) log.warn({ intentId: ack.intentId, error: String(error) }, 'the broker takes no acks: trying again')
        await setTimeout(RETRY_MS)
      }
    }
  }

  async function take({ message, partition, heartbeat }: EachMessagePayload): Promise<void> {
    // Other devices' orders lie in the same partition.
    if (message.key?.toString() !== device || !message.value) return
    const decoded = codec.decode('dispatch', message.value, 'Order')
    // The broker's copy stays and audit parks it; a device has no dead letters of its own and nothing to answer.
    if (!decoded.ok) return log.warn({ partition, offset: message.offset, reason: decoded.reason }, 'undecodable order skipped')
    const beat = setInterval(() => void heartbeat().catch(() => undefined), HEARTBEAT_MS)
    try {
      await runner.take(decoded.value, message.value)
    } catch (error) {
      if (error instanceof JournalError) fail(error)
      throw error
    } finally {
      clearInterval(beat)
    }
  }

  const stop = async (): Promise<void> => {
    stopping = true
    await consumer.disconnect()
    await control?.stop()
    await producer.disconnect()
    journal.close()
  }
  const fail = (error: Error): void => {
    // Without the control tables a stop would not be heard: take no further order.
    void stop().finally(() => settings.onFailure(error))
  }

  await producer.connect()
  const control: ControlReader = await readControlTables(kafka, `device-${device}`, TABLES, fold, {
    change: () => {
      standing = readStanding(fold)
      profile = fold.table('control.devices').get(device)
      runner.standingChanged()
    },
    ignored: (topic, offset, reason) => log.warn({ topic, offset, reason }, 'control entry ignored'),
    crash: fail,
  })
  await runner.recover()
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) fail(payload.error)
  })
  await consumer.connect()
  await consumer.subscribe({ topic: 'dispatch', fromBeginning: true })
  const joined = new Promise<void>((resolve) => consumer.on(consumer.events.GROUP_JOIN, () => resolve()))
  await consumer.run({ eachMessage: take })
  await joined
  return { stop }
}

const readStanding = (fold: ControlFold) => ({
  stops: fold.table('control.stops'),
  revocations: fold.table('control.revocations'),
  federation: fold.table('control.federation'),
})
