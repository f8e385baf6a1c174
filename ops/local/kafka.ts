import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { releases } from '../setup/releases.mjs'
import { brokerAnswers } from './broker-answers.ts'
import { installed, javaCommand, javaEnvironment } from './java.ts'
import { Part } from './part.ts'
import { freePort } from './ports.ts'
import { RunningProcess } from './process.ts'

const host = '127.0.0.1'
/** Any: there is one node, and it is found by its address. */
const clusterId = 'aW50ZXJsb2NrLWxvY2FsMQ'

/** One Kafka node, broker and controller in one process, on loopback. `address` stays the same over restarts of the part. */
export async function kafkaPart(directory: string, logFile: string): Promise<{ part: Part; address: string }> {
  const [port, controllerPort] = [await freePort(), await freePort()]
  const address = `${host}:${port}`
  const properties = join(directory, 'server.properties')
  const data = join(directory, 'data')
  const settings = { name: 'Kafka', command: javaCommand(), env: javaEnvironment(), logFile, cwd: directory }
  const classes = ['-cp', join(installed(releases.kafka), '*')]

  async function launch(): Promise<RunningProcess> {
    mkdirSync(directory, { recursive: true })
    writeFileSync(properties, serverProperties(port, controllerPort, data))
    writeFileSync(join(directory, 'log4j2.properties'), logging)
    // meta.properties is the last thing that formatting writes.
    if (!existsSync(join(data, 'meta.properties'))) {
      const args = [
        '-Xmx128m',
        '-XX:TieredStopAtLevel=1',
        ...classes,
        'kafka.tools.StorageTool',
        'format',
        '-t',
        clusterId,
        '-c',
        properties,
      ]
      const format = new RunningProcess({ ...settings, args })
      await format.exited()
      if (!existsSync(join(data, 'meta.properties'))) throw format.failed('could not format its data directory')
    }
    const flags = [
      '-Xmx512m',
      '-Xms128m',
      '-XX:+UseSerialGC',
      `-Dlog4j2.configurationFile=${join(directory, 'log4j2.properties')}`,
    ]
    const broker = new RunningProcess({ ...settings, args: [...flags, ...classes, 'kafka.Kafka', properties] })
    await broker.untilReady(() => brokerAnswers(address), 120_000)
    return broker
  }
  return { part: new Part(launch, (broker) => stopBroker(broker, data)), address }
}

/**
 * Once the broker has closed its logs there is nothing left to lose: the controller would only wait five seconds for other
 * controllers, and there are none.
 */
async function stopBroker(broker: RunningProcess, data: string): Promise<void> {
  const stopped = broker.stop()
  const end = Date.now() + 15_000
  while (!broker.hasExited && !existsSync(join(data, '.kafka_cleanshutdown')) && Date.now() < end) await wait(20)
  await broker.kill()
  await stopped
}

function serverProperties(port: number, controllerPort: number, data: string): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@${host}:${controllerPort}
listeners=PLAINTEXT://${host}:${port},CONTROLLER://${host}:${controllerPort}
advertised.listeners=PLAINTEXT://${host}:${port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=${data}
# topics.yaml is the only source of topics.
auto.create.topics.enable=false
# One node: internal topics have one replica.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=2
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
# A killed broker is believed gone sooner, so that its next start is let in sooner.
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=2000
log.segment.bytes=67108864
# A device or a service that stopped without leaving is replaced soon.
group.min.session.timeout.ms=1000
`
}

const logging = `rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %c{1}: %m%n
`
