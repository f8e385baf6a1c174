/** How soon a revocation is in force: by each kind, and at each stage, of which every one reads the tables for itself. */
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { createJob, type Layout } from '@interlock/cli'
import type { IntentId, RevocationEntry, StageName } from '@interlock/contracts'
import type { World } from '@interlock/ops/scenario/world'
import { readTaskToken } from '@interlock/trust'
import { median, percentile } from './statistics.ts'

const rounds = 12
const sendEveryMs = 20
const sendForMs = 600

type Kind = RevocationEntry['kind']
type Job = { readonly job: string; readonly tokens: readonly string[] }
type Case = {
  readonly kind: Kind
  /** The first stage that looks at it, so that its answer and no other's is measured. */
  readonly stage: StageName
  readonly subject: (job: Job) => string
}

const laser = 'agent-laser-operator-z1'

/** What each job has of its own can be revoked again and again. */
const ofEachJob: readonly Case[] = [
  { kind: 'job', stage: 'identity-verify', subject: ({ job }) => job },
  { kind: 'token', stage: 'delegation-check', subject: ({ tokens }) => nameOf(tokens[0] ?? '') },
]

/** A revocation is for good, so these are measured once, and from the last stage to the first: what is refused late still passes the stages before. */
function onceOf(world: World): readonly Case[] {
  const keyOf = (stage: StageName) => () => world.key(stage).keyId
  return [
    { kind: 'device', stage: 'device-dispatch', subject: () => 'laser-1' },
    { kind: 'enforcer-key', stage: 'approval-router', subject: keyOf('semantic-bounds') },
    { kind: 'enforcer-key', stage: 'semantic-bounds', subject: keyOf('delegation-check') },
    { kind: 'human', stage: 'delegation-check', subject: () => 'alice' },
    { kind: 'agent', stage: 'identity-verify', subject: () => world.key(laser).spiffeId },
  ]
}

function nameOf(token: string): string {
  const read = readTaskToken(token)
  if (!read.ok) throw new Error(read.reason)
  return `${read.value.claims.iss} ${read.value.claims.jti}`
}

/** Fields `revocation_p99_ms` over all, and by kind and by stage. */
export async function measureRevocations(world: World, layout: Layout): Promise<Record<string, number>> {
  const seen: { readonly kind: Kind; readonly stage: StageName; readonly ms: number }[] = []
  const measure = async (one: Case, job: Job) => seen.push({ ...one, ms: await untilInForce(world, one, job) })
  for (let round = 0; round < rounds; round += 1) for (const one of ofEachJob) await measure(one, await newJob(layout))
  // Before its human is revoked.
  const job = await newJob(layout)
  for (const one of onceOf(world)) await measure(one, job)
  const fields = (name: 'kind' | 'stage') =>
    [...new Set(seen.map((one) => one[name]))].map((value) => {
      const ms = seen.filter((one) => one[name] === value).map((one) => one.ms)
      return [`revocation_${value.replaceAll('-', '_')}_p99_ms`, percentile(ms, 0.99)] as const
    })
  const all = seen.map(({ ms }) => ms)
  return {
    revocation_p50_ms: median(all),
    revocation_p99_ms: percentile(all, 0.99),
    ...Object.fromEntries([...fields('kind'), ...fields('stage')]),
  }
}

async function newJob(layout: Layout): Promise<Job> {
  const { jobId: job, tokens } = await createJob(layout, Date.now(), `bench-${randomUUID()}`)
  return { job, tokens: tokens[laser] ?? [] }
}

/** Milliseconds from when the revocation was written to the last decision of the stage that still let one pass. */
async function untilInForce(world: World, { kind, stage, subject }: Case, job: Job): Promise<number> {
  const name = subject(job)
  const revoke = (from: number) =>
    world.enact('control.revocations', `${kind}:${name}`, { kind, subject: name, from, reason: 'bench' }, 'operator-dev')
  const sent: IntentId[] = []
  const send = async () => {
    const intent = await world.laserCut(job)
    await world.submit(intent)
    sent.push(intent.intentId)
    return intent.intentId
  }
  // It must pass before it can be seen to stop.
  await untilPasses(world, send, stage)
  sent.length = 0
  const from = Date.now()
  const revoking = revoke(from)
  while (Date.now() < from + sendForMs) {
    await send()
    await wait(sendEveryMs)
  }
  await revoking
  let last = 0
  let refused = 0
  for (const intentId of sent) {
    const verdict = await decisionOf(world, intentId, stage)
    if (verdict?.verdict === 'ALLOW') last = Math.max(last, verdict.decidedAt - from)
    else refused += 1
  }
  if (refused === 0) throw new Error(`a revoked ${kind} still passes ${stage} after ${sendForMs} ms`)
  return last
}

async function untilPasses(world: World, send: () => Promise<IntentId>, stage: StageName): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const verdict = await decisionOf(world, await send(), stage)
    if (verdict?.verdict === 'ALLOW') return
    await wait(100)
  }
  throw new Error(`nothing passes ${stage} before anything is revoked`)
}

/** The stage's own decision; undefined where a stage before it refused. */
async function decisionOf(world: World, intentId: IntentId, stage: StageName) {
  const isAnswer = (step: ReturnType<World['watch']['steps']>[number]) =>
    step.kind === 'decision' && (step.record.stage === stage || step.record.verdict === 'DENY')
  const steps = await world.watch.until(intentId, (all) => all.some(isAnswer), 30_000)
  const found = steps.find((step) => step.kind === 'decision' && step.record.stage === stage)
  return found?.kind === 'decision' ? found.record : undefined
}
