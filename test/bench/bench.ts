/**
 * `npm run bench [-- --json]`: the five enforcers against the raw limit, which is as many kafkajs pass-through hops with records of the same
 * size, on the same broker, in one run, round by round in turn. Latency is from when an intent was due to be sent to when its order lies
 * in `dispatch`; throughput drains a backlog. Then the trust services (trust.ts), the bounds (bounds.ts) and programs (gcode.ts). Machines are
 * noisy: only the ratios mean something elsewhere.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stageNames } from '@interlock/contracts'
import { startStack, startSystem } from '@interlock/ops/local'
import { readProgram } from '@interlock/ops/scenario/program'
import { World } from '@interlock/ops/scenario/world'
import { measureBounds } from './bounds.ts'
import { cpuTimeMs } from './cpu-time.ts'
import { Flow, type Sample } from './flow.ts'
import { measureGcode } from './gcode.ts'
import { IntentSource } from './intent-source.ts'
import { rawSamples, rawTopics, startRawHops } from './raw-hops.ts'
import { median, percentile } from './statistics.ts'
import { measureTrust } from './trust.ts'

const perSecond = 50
const rounds = 3
const latencySamples = 250
const backlog = 2000

const isJson = process.argv.includes('--json')
const say = (text: string) => (isJson ? console.error(text) : console.log(text))

const directory = mkdtempSync(join(tmpdir(), 'interlock-bench-'))
const stack = await startStack({ directory, log: say })
const system = await startSystem(stack, {
  directory,
  services: [...stageNames, 'token-service', 'registry'],
  devices: ['laser-1'],
  log: say,
})
// Its enrolment is needed, its motion is not: a machine moves for a third of a second.
for (const { service } of system.devices) await service.stop()
try {
  const source = await IntentSource.open(stack, system.layout)
  await source.createTopics(rawTopics)
  const hops = await startRawHops(stack.kafka)
  const pipeline = await Flow.open(source.kafka, { input: 'intents', output: 'dispatch', idOf: source.intentIdOf })
  const raw = await Flow.open(source.kafka, {
    input: rawTopics[0] as string,
    output: rawTopics.at(-1) as string,
    idOf: rawSamples.idOf,
  })

  say('warming up')
  const warm = await source.intents(300)
  await pipeline.latencies(warm, perSecond)
  const bytes = await source.meanRecordBytes(warm[0] as Sample)
  await raw.latencies(rawSamples.make(300, bytes), perSecond)
  // Services run for weeks: what the first thousands of records cost while code is compiled is not what they cost.
  await raw.throughput(rawSamples.make(backlog, bytes))
  await pipeline.throughput(await source.intents(backlog))

  const pids = system.services.filter(({ name }) => stageNames.some((stage) => stage === name)).map(({ pid }) => pid)
  const seen = {
    pipeline: [] as number[],
    raw: [] as number[],
    pipelinePerS: [] as number[],
    rawPerS: [] as number[],
    cpuMs: [] as number[],
  }
  for (let round = 1; round <= rounds; round += 1) {
    say(`round ${round} of ${rounds}`)
    seen.raw.push(...(await raw.latencies(rawSamples.make(latencySamples, bytes), perSecond)))
    seen.pipeline.push(...(await pipeline.latencies(await source.intents(latencySamples), perSecond)))
    seen.rawPerS.push(await raw.throughput(rawSamples.make(backlog, bytes)))
    const intents = await source.intents(backlog)
    const before = cpuTimeMs(pids)
    seen.pipelinePerS.push(await pipeline.throughput(intents))
    const after = cpuTimeMs(pids)
    if (before !== undefined && after !== undefined) seen.cpuMs.push((after - before) / backlog)
  }
  await Promise.all([pipeline.close(), raw.close(), hops.stop()])
  say('trust services')
  const world = await World.enter({ kafka: source.kafka, codec: source.codec, layout: system.layout, program: readProgram() })
  const trust = await measureTrust(system, world)
  await world.leave()
  say('bounds')
  const { note, ...bounds } = await measureBounds()
  if (note) say(note)
  report({
    ...trust,
    ...bounds,
    ...measureGcode(),
    pipeline_p50_ms: percentile(seen.pipeline, 0.5),
    raw_p50_ms: percentile(seen.raw, 0.5),
    latency_ratio: percentile(seen.pipeline, 0.5) / percentile(seen.raw, 0.5),
    pipeline_p99_ms: percentile(seen.pipeline, 0.99),
    raw_p99_ms: percentile(seen.raw, 0.99),
    pipeline_per_s: median(seen.pipelinePerS),
    raw_per_s: median(seen.rawPerS),
    throughput_ratio: median(seen.pipelinePerS) / median(seen.rawPerS),
    cpu_ms_per_intent: median(seen.cpuMs),
  })
} finally {
  await system.stop()
  await stack.stop()
  rmSync(directory, { recursive: true, force: true })
}

/** null: not measured here, and why was said. */
function report(measured: Record<string, number | null>): void {
  const hundredths = (value: number | null) => value && Math.round(value * 100) / 100
  const rounded = Object.fromEntries(Object.entries(measured).map(([name, value]) => [name, hundredths(value)]))
  if (isJson) {
    console.log(JSON.stringify(rounded))
    return
  }
  const row = (name: string, pipeline: string, raw: string, ratio: string) =>
    console.log(`${name.padEnd(28)}${pipeline.padStart(12)}${raw.padStart(12)}${ratio.padStart(10)}`)
  const at = (name: string) => String(rounded[name])
  row('', 'pipeline', 'raw hops', 'ratio')
  row(`latency p50, ms, at ${perSecond}/s`, at('pipeline_p50_ms'), at('raw_p50_ms'), at('latency_ratio'))
  row('latency p99, ms', at('pipeline_p99_ms'), at('raw_p99_ms'), '')
  row('throughput, intents/s', at('pipeline_per_s'), at('raw_per_s'), at('throughput_ratio'))
  row('CPU of the five, ms/intent', at('cpu_ms_per_intent'), '', '')
  console.log('')
  const line = (name: string, value: string) => console.log(`${name.padEnd(46)}${value.padStart(12)}`)
  line('token exchanges/s', at('exchanges_per_s'))
  line('TPM enrolments/s, one TPM', at('enrolments_per_s'))
  line('revocation in force, p50, ms', at('revocation_p50_ms'))
  line('revocation in force, p99, ms', at('revocation_p99_ms'))
  for (const stage of stageNames) line(`  at ${stage}, p99, ms`, at(`revocation_${stage.replaceAll('-', '_')}_p99_ms`))
  line('chain of three tokens, cold, µs', at('chain_of_three_cold_us'))
  line('chain of three tokens, warm, µs', at('chain_of_three_warm_us'))
  line('decision of semantic-bounds, p50, µs', at('bounds_decision_p50_us'))
  line('the same policy in OPA’s server, p50, µs', at('opa_server_p50_us'))
  line('OPA’s server to ours, times', at('bounds_opa_ratio'))
  line('bounds decisions/s, a job of 500', at('bounds_decisions_per_s'))
  line('memory that the second 500 open commands added, MB', at('bounds_memory_growth_mb'))
  line('G-code, lines/s of processor time', at('gcode_lines_per_s'))
  line('the same program in gcode-toolpath', at('gcode_peer_lines_per_s'))
}
