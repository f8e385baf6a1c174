/**
 * What the decision of semantic-bounds costs, beside the same question to OPA's own server in the same run, and a job of ten thousand intents through
 * the whole stage but Kafka: chain verified, decided, remembered, signed, settled. `node test/bench/bounds.ts` runs it alone; making the intents takes longest.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { BoundsPolicy, Decision } from '@interlock/contracts'
import { enforce, type Incoming, type ReactionContext, sealDecisions, verifyInput } from '@interlock/enforcer'
import { readPolicyBundle } from '@interlock/ops/policies/bundle'
import { startOpaServer } from '@interlock/ops/policies/opa-server'
import { findOpa, opaAdvice } from '@interlock/policy/opa'
import { buildOrder, createFixture, createTables, decisionOf, type Fixture } from '@interlock/sdk/fixture'
import { nameOf } from '@interlock/semantic-bounds/reserve'
import { semanticBounds } from '@interlock/semantic-bounds/stage'
import { digest, openTrustBundle, VerifiedRoots } from '@interlock/trust'
import { median } from './statistics.ts'

const intents = 10_000
const warmUp = 1000
const decisions = 3000
const questions = 300
const batch = 100
const tpm = { attestationKey: 'AA', pcrs: [0], pcrDigest: digest(Buffer.alloc(0)) }

export type BoundsMeasured = {
  readonly bounds_decision_p50_us: number
  /** null where there is no OPA on this machine; `note` says how to get it. */
  readonly opa_server_p50_us: number | null
  readonly bounds_opa_ratio: number | null
  readonly bounds_decisions_per_s: number
  readonly bounds_memory_growth_mb: number
  readonly note?: string
}

export async function measureBounds(): Promise<BoundsMeasured> {
  const stage = await openStage()
  const ownUs = await stage.decisionMicroseconds()
  const job = await stage.runJob()
  const opaUs = await opaMicroseconds()
  return {
    bounds_decision_p50_us: ownUs,
    opa_server_p50_us: opaUs ?? null,
    bounds_opa_ratio: opaUs === undefined ? null : opaUs / ownUs,
    ...job,
    ...(opaUs === undefined && { note: `OPA's server was not measured: there is none here. ${opaAdvice}` }),
  }
}

async function openStage() {
  const fixture = await createFixture(Date.now())
  const record = await commandOf(fixture)
  const { revision, wasm, data } = readPolicyBundle()
  const module = { wasm: wasm.toString('base64url'), wasmSha256: digest(wasm) }
  const policy: BoundsPolicy = { kind: 'bounds', revision, sequence: fixture.now, ...module, data }
  const tables = await createTables(fixture, tpm)
  tables['control.policies'].set('bounds', policy)
  const trust = openTrustBundle(fixture.domain.bundle)
  const parts = { codec: fixture.codec, trust, roots: new VerifiedRoots(), key: fixture.key('semantic-bounds'), alarm: fail }
  const context: ReactionContext = { now: fixture.now + 100, tables, random: () => Buffer.alloc(32), partitions: 6 }
  const stage = semanticBounds({ ask: () => fail(new Error('nobody else is to be asked')) })
  const { partition } = partitionOfEvent(record)
  const incoming = (offset: number, arrived = record): Incoming<'Decision'> => {
    const position = { topic: stage.input, partition, offset }
    return { position, key: arrived.jobId, record: arrived, bytes: Buffer.alloc(0) }
  }
  const processor = enforce(stage, parts)

  return {
    async decisionMicroseconds(): Promise<number> {
      const input = verifyInput(incoming(0), stage.name, context, parts)
      if (!input.ok) throw new Error(`a good input is refused: ${input.reason}`)
      const memory = stage.remember()
      const took: number[] = []
      for (let count = 0; count < decisions; count += 1) {
        const from = performance.now()
        const verdict = await stage.decide(input.value, { ...context, trust, memory })
        took.push((performance.now() - from) * 1000)
        if (verdict.verdict !== 'ALLOW') throw new Error(`a good command is refused: ${JSON.stringify(verdict)}`)
      }
      return median(took.slice(decisions / 10))
    },
    /** A job goes on for ten thousand commands more, each one of its own and settled as its device's receipt would: growth is what they leave behind. */
    async runJob() {
      const memory = processor.remember()
      const run = async (first: number, count: number): Promise<number> => {
        let milliseconds = 0
        for (let at = first; at < first + count; at += batch) {
          const records = await Promise.all(Array.from({ length: batch }, () => commandOf(fixture)))
          const from = performance.now()
          const writes = []
          for (const [index, arrived] of records.entries()) {
            const [write] = await processor.react(memory, incoming(at + index, arrived), context)
            if (!write || (write.record as Decision).verdict !== 'ALLOW') throw new Error('a good command is refused')
            stage.fold(memory, write.record as Decision)
            writes.push(write)
          }
          for (const { jobId, intentId } of records)
            memory.jobs.end(nameOf(jobId, intentId), { kind: 'used', measured: {}, isDone: true }, context.now)
          await sealDecisions(writes, parts.key)
          milliseconds += performance.now() - from
        }
        return milliseconds
      }
      await run(0, warmUp)
      const before = heapBytes()
      const milliseconds = await run(warmUp, intents)
      const open = memory.jobs.budgets.openCount
      if (open !== 0) throw new Error(`${open} commands are open`)
      return {
        bounds_decisions_per_s: (intents / milliseconds) * 1000,
        bounds_memory_growth_mb: Math.max(0, heapBytes() - before) / 1_000_000,
      }
    },
  }
}

/** A command with an id of its own, as delegation-check hands it on, under a token for more than the job has. */
async function commandOf(fixture: Fixture): Promise<Decision> {
  const budgets = [{ holder: 'bench', of: 'alice', maxCount: 1_000_000, limits: {} }]
  const order = await buildOrder(fixture, {
    editStatement: (statement) =>
      statement.stage === 'delegation-check' ? { ...statement, obligations: { ...statement.obligations, budgets } } : statement,
  })
  return decisionOf(fixture, order, 'delegation-check')
}

const partitionOfEvent = ({ eventId }: Decision) => ({ partition: Number(eventId.split(':')[2]) })

function fail(error: unknown): never {
  throw error
}

async function opaMicroseconds(): Promise<number | undefined> {
  const opa = findOpa()
  if (!opa) return undefined
  const directory = mkdtempSync(join(tmpdir(), 'interlock-opa-'))
  const server = await startOpaServer(opa, directory)
  try {
    const input = {
      device: 'laser-1',
      capability: 'laser.cut',
      human: 'alice',
      agent: 'spiffe://lab.interlock.example/agent/x/1',
    }
    const asked = { ...input, job: 'job-1', risk: 'low', quantities: { power: 60, speed: 20 }, choices: {}, program: null }
    const took: number[] = []
    for (let count = 0; count < questions; count += 1) {
      const from = performance.now()
      await server.ask(asked)
      took.push((performance.now() - from) * 1000)
    }
    return median(took.slice(questions / 10))
  } finally {
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** After a collection, for else what is not yet collected would be taken for a leak. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

if (import.meta.main) console.log(JSON.stringify(await measureBounds()))
