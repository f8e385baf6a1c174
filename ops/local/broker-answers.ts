import kafkajs from 'kafkajs'

/** Whether a broker is there and in its cluster. */
export async function brokerAnswers(address: string): Promise<boolean> {
  const kafka = new kafkajs.Kafka({
    clientId: 'interlock-start',
    brokers: [address],
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 500,
    requestTimeout: 3000,
    retry: { retries: 0 },
  })
  const admin = kafka.admin()
  try {
    await admin.connect()
    const { brokers } = await admin.describeCluster()
    return brokers.length > 0
  } catch {
    return false
  } finally {
    await admin.disconnect().catch(() => undefined)
  }
}
