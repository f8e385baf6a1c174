import { randomUUID } from 'node:crypto'
import { quantity } from '@interlock/sdk'
import { buildIntent, buildOrder, createFixture } from '@interlock/sdk/fixture'
import { agentSpiffeId, definitionHash, jobGrants } from '@interlock/sdk/trust-domain'
import { canonicalBytes, digest, readTaskToken, type SigningKey, signingKey, signTaskToken } from '@interlock/trust'
import { createIntermediate, createRoot, type Issuer, issueIdentity } from '@interlock/trust/issue'
import type { Case } from './case.ts'
import { forgeCompletion } from './forged-ack.ts'
import { partitions, type World } from './world.ts'

const operator = agentSpiffeId('laser-operator', 'z1')

/** Each is stopped at the stage that is there for it, for the reason that is named. */
export const attacks: readonly Case<World>[] = [
  {
    title: () => 'a certificate that names the right agent, from a forger’s authority of the same name',
    kind: 'attack',
    expect: { outcome: 'denied', orders: 0, refusal: { by: 'identity-verify', reason: 'proof-path-untrusted' } },
    async play(world) {
      const now = Date.now()
      const root = await createRoot(world.anchors.trustDomain, now)
      const forger = await createIntermediate(root, world.anchors.trustDomain, now)
      const intent = await world.laserCut({ key: await agentKey(forger, definitionHash('laser-operator')) })
      await world.submit(intent)
      return intent.intentId
    },
  },
  {
    title: () => 'a true certificate of an agent whose system prompt was changed',
    kind: 'attack',
    expect: { outcome: 'denied', orders: 0, refusal: { by: 'identity-verify', reason: 'definition-mismatch' } },
    async play(world) {
      const changed = digest(canonicalBytes({ systemPrompt: 'Cut whatever you are asked to.' }))
      const intent = await world.laserCut({ key: await agentKey(world.issuer, changed) })
      await world.submit(intent)
      return intent.intentId
    },
  },
  {
    title: () => 'a stolen token: the mill’s operator shows the laser operator’s, without its key',
    kind: 'attack',
    expect: { outcome: 'denied', orders: 0, refusal: { by: 'delegation-check', reason: 'token-bound-to-another' } },
    async play(world) {
      const intent = await world.laserCut({ key: world.key('agent-mill-operator-z1') })
      await world.submit(intent)
      return intent.intentId
    },
  },
  {
    title: () => 'a widened token: the orchestrator has 80 W and grants its operator 120',
    kind: 'attack',
    expect: { outcome: 'denied', orders: 0, refusal: { by: 'delegation-check', reason: 'wider-limit' } },
    async play(world) {
      const tokens = await widened(world)
      const intent = await world.laserCut({ tokens, parameters: { power: quantity(110, 'W'), speed: quantity(20, 'mm/s') } })
      await world.submit(intent)
      return intent.intentId
    },
  },
  {
    title: () => 'the token service, broken into, grants 120 W in alice’s name: her passkey signed for 80',
    kind: 'attack',
    expect: { outcome: 'denied', orders: 0, refusal: { by: 'delegation-check', reason: 'consent-wider' } },
    async play(world) {
      const tokens = await invented(world)
      const intent = await world.laserCut({ tokens, parameters: { power: quantity(110, 'W'), speed: quantity(20, 'mm/s') } })
      await world.submit(intent)
      return intent.intentId
    },
  },
  {
    title: () => '120 W: the machine could, the job says 80',
    kind: 'attack',
    expect: { outcome: 'denied', orders: 0, refusal: { by: 'semantic-bounds', reason: 'outside-grant' } },
    async play(world) {
      const intent = await world.laserCut({ parameters: { power: quantity(120, 'W'), speed: quantity(20, 'mm/s') } })
      await world.submit(intent)
      return intent.intentId
    },
  },
  {
    title: () => 'the right number in the wrong unit: 60 J/s would do, 60 J is no power',
    kind: 'attack',
    expect: { outcome: 'denied', orders: 0, refusal: { by: 'semantic-bounds', reason: 'unit-mismatch' } },
    async play(world) {
      const intent = await world.laserCut({ parameters: { power: quantity(60, 'J'), speed: quantity(20, 'mm/s') } })
      await world.submit(intent)
      return intent.intentId
    },
  },
  {
    title: () => 'a mill program whose every point lies on the table, and one of whose arcs bulges out of it',
    kind: 'attack',
    expect: { outcome: 'denied', orders: 0, refusal: { by: 'semantic-bounds', reason: 'program-outside-machine' } },
    async play(world) {
      // From (140, -60) to (140, 60) around (100, 0): the arc reaches x = 172.
      const program = 'G21 G90 G94 G17\nG0 X0 Y0 Z10\nM3 S12000\nG0 X140 Y-60\nG3 X140 Y60 I-40 J60 F800\nM5\nM30\n'
      const intent = await world.intent({
        device: 'mill-1',
        capability: 'mill.run-program',
        parameters: { spindle: quantity(12_000, '/min'), feed: quantity(1500, 'mm/min') },
        program: { mediaType: 'text/x-gcode', bytes: Buffer.from(program) },
        tokens: world.tokens('agent-mill-operator-z1'),
        key: world.key('agent-mill-operator-z1'),
      })
      await world.submit(intent)
      return intent.intentId
    },
  },
  {
    title: () => 'an intent played again after it was carried out: it runs once',
    kind: 'attack',
    expect: { outcome: 'completed', orders: 1, refusal: { by: 'identity-verify', reason: 'replayed' } },
    async play(world) {
      const intent = await world.laserCut()
      await world.submit(intent)
      await world.watch.until(intent.intentId, (steps) => steps.some(({ kind }) => kind === 'outcome'), waitMs)
      await world.submit(intent)
      return intent.intentId
    },
  },
  {
    title: () => 'an order of the right form, written straight to `dispatch`: the device itself refuses',
    kind: 'attack',
    expect: { outcome: 'denied', orders: 1, refusal: { by: 'device', reason: 'chain-unknown-key' } },
    async play(world) {
      // A whole trust domain of the same names, but the forger's own: five signatures, an agent, a human's grant.
      const forger = { ...(await createFixture(Date.now())), codec: world.codec }
      const intent = { ...(await buildIntent(forger)), jobId: world.job.jobId as never }
      await world.submit(intent)
      await world.watch.until(intent.intentId, (steps) => steps.some(({ kind }) => kind === 'outcome'), waitMs)
      const order = await buildOrder(forger, { intent })
      await world.write('dispatch', order.device, order)
      return intent.intentId
    },
  },
  {
    title: () => 'a forged ack says “completed” while the laser still moves',
    kind: 'attack',
    expect: { outcome: 'completed', orders: 1, refusal: { by: 'device-dispatch', reason: 'quote-signature-invalid' } },
    async play(world) {
      const intent = await world.laserCut()
      await world.submit(intent)
      const steps = await world.watch.until(intent.intentId, (seen) => seen.some(({ kind }) => kind === 'ack'), waitMs)
      const genuine = steps.flatMap((step) => (step.kind === 'ack' ? [step.record] : []))[0]
      if (genuine) await world.write('acks', genuine.device, forgeCompletion(genuine))
      return intent.intentId
    },
  },
  {
    title: () => 'an intent in another partition than its job’s',
    kind: 'attack',
    expect: { outcome: 'none', orders: 0, refusal: { by: 'identity-verify', reason: 'wrong-partition' } },
    async play(world) {
      const intent = await world.laserCut()
      await world.write('intents', intent.jobId, intent, (world.partitionOf(intent.jobId) + 1) % partitions)
      return intent.intentId
    },
  },
]

const waitMs = 30_000

async function agentKey(issuer: Issuer, hash: string): Promise<SigningKey> {
  const profile = { name: 'agent-laser-operator-z1', spiffeId: operator, definitionHash: hash, assurance: 'software' }
  const { privateKey, chain } = await issueIdentity(issuer, profile, Date.now())
  return signingKey(privateKey, chain)
}

/** A child token beyond its parent, as a compromised orchestrator would sign it: the SDK's `delegate` refuses to. */
async function widened(world: World): Promise<readonly string[]> {
  const [root = '', child = ''] = world.tokens('agent-laser-operator-z1')
  const orchestrator = world.key('agent-job-orchestrator-o1')
  const claims = { ...claimsOf(child), iss: orchestrator.spiffeId, jti: randomUUID(), authorization_details: wider }
  return [root, await signTaskToken(claims, orchestrator)]
}

/** A root token beyond what its human signed for, by the token service's true key, and a child as wide. */
async function invented(world: World): Promise<readonly string[]> {
  const [root = '', child = ''] = world.tokens('agent-laser-operator-z1')
  const claims = { ...claimsOf(root), jti: randomUUID(), authorization_details: wider }
  const first = await signTaskToken(claims, { kid: world.key('service-token') })
  const second = { ...claimsOf(child), jti: randomUUID(), authorization_details: wider, parent: signingInputDigest(first) }
  return [first, await signTaskToken(second, { kid: world.key('service-token') })]
}

const wider = jobGrants
  .filter(({ locations }) => locations.includes('laser-1'))
  .map((grant) => ({ ...grant, limits: { ...grant.limits, power: { min: '1', max: '120', unit: 'W' } } }))

const signingInputDigest = (token: string) => digest(Buffer.from(token.slice(0, token.lastIndexOf('.'))))

function claimsOf(token: string) {
  const read = readTaskToken(token)
  if (!read.ok) throw new Error(`the job's own token cannot be read: ${read.reason}`)
  return read.value.claims
}
