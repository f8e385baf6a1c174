/**
 * `npm start`: the local stack, the services, two machines, and a guided scenario; stays up for the user's own tries until Ctrl-C.
 * `npm run demo` (`--once`) plays the same and ends with 0 only if every line came out as expected.
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createCodec, readTopology } from '@interlock/contracts'
import { fetchSchemaIds } from '@interlock/contracts/registry'
import { Kafka, logLevel } from 'kafkajs'
import { saying, startStack, startSystem } from './local/index.ts'
import { AgentHosts } from './scenario/agent-hosts.ts'
import { playScenario } from './scenario/play.ts'
import { readProgram } from './scenario/program.ts'
import { summaryOf } from './scenario/summary.ts'
import { World } from './scenario/world.ts'

const directory = fileURLToPath(new URL('../.interlock/', import.meta.url))
const isOnce = process.argv.includes('--once')
const print = (text: string) => console.log(text)

const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())

const stack = await startStack({ directory, log: print })
const system = await startSystem(stack, { directory: join(directory, 'dev'), log: print })
const topology = readTopology()
const kafka = new Kafka({ clientId: 'interlock-scenario', brokers: [stack.kafka], logLevel: logLevel.NOTHING })
const codec = createCodec({ topology, ids: await fetchSchemaIds(stack.registry, topology) })
const program = readProgram()
const world = await World.enter({ kafka, codec, layout: system.layout, program })
const hosts = await saying(print, 'TPMs of the agents’ hosts', AgentHosts.start(system.layout, world.anchors.audience))
const played = await playScenario(world, hosts, print, stopping.signal)
print(summaryOf({ played, jobId: world.job.jobId, clickhouse: stack.clickhouse, program }))
await hosts.stop()
await world.leave()

if (!isOnce && !stopping.signal.aborted) {
  print(`Your turn, in another terminal (Ctrl-C here ends it; the data stay, \`npm run clean\` removes them):

  npx interlock intent --device laser-1 --capability laser.cut --power 80W --speed 20mm/s
  npx interlock trace ${played[0]?.intentId}
`)
  await new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve()))
}
await system.stop()
await stack.stop()
process.exitCode = played.every(({ differences }) => differences.length === 0) ? 0 : 1
