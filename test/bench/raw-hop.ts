/**
 * One hop of the raw limit: a process that reads a topic and writes each value as it came to the next, with the settings the
 * runner of the enforcers uses (batch a fetch, acks=all, idempotent, offset after the write) and nothing else.
 * Arguments: brokers, input topic, output topic.
 */
import kafkajs from 'kafkajs'

const [brokers, input, output] = process.argv.slice(2) as [string, string, string]
const kafka = new kafkajs.Kafka({ clientId: `raw-${input}`, brokers: [brokers], logLevel: kafkajs.logLevel.NOTHING })
const producer = kafka.producer({
  idempotent: true,
  maxInFlightRequests: 1,
  createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
})
const consumer = kafka.consumer({ groupId: `raw-${input}`, maxWaitTimeInMs: 50, minBytes: 1 })
await Promise.all([producer.connect(), consumer.connect()])
await consumer.subscribe({ topic: input, fromBeginning: true })
consumer.on(consumer.events.GROUP_JOIN, () => console.log('{"msg":"ready"}'))
// A bench that is killed takes its hops with it.
process.stdin.on('end', () => process.exit(0)).resume()
process.on('SIGTERM', () => Promise.all([consumer.disconnect(), producer.disconnect()]).finally(() => process.exit(0)))
await consumer.run({
  autoCommit: false,
  partitionsConsumedConcurrently: 6,
  eachBatch: async ({ batch, heartbeat }) => {
    if (batch.messages.length === 0) return
    await producer.send({
      topic: output,
      acks: -1,
      messages: batch.messages.map(({ key, value }) => ({ key, value, partition: batch.partition })),
    })
    await consumer.commitOffsets([{ topic: input, partition: batch.partition, offset: String(Number(batch.lastOffset()) + 1) }])
    await heartbeat()
  },
})
