import { approvalRouter } from '@interlock/approval-router/processor'
import { answerRequest, pendingRequests } from '@interlock/cli'
import type {
  Ack,
  AckStatement,
  Approval,
  Decision,
  DecisionStatement,
  Order,
  OrderObligations,
  Outcome,
} from '@interlock/contracts'
import { partitionOf, readTopology } from '@interlock/contracts'
import { backHalf } from '@interlock/device-dispatch/back-half'
import { outHalf } from '@interlock/device-dispatch/out-half'
import { type Processor, statementOf, type Write } from '@interlock/enforcer'
import { TestPartition } from '@interlock/enforcer/test-partition'
import { outcomes } from '@interlock/outcomes/processor'
import { acknowledge, verifyOrder } from '@interlock/sdk'
import {
  buildOrder,
  createFixture,
  createTables,
  decisionOf,
  type Fixture,
  type FixtureTables,
  orderContext,
} from '@interlock/sdk/fixture'
import type { SoftwarePasskey } from '@interlock/sdk/software-passkey'
import { pcrDigestOf } from '@interlock/tpm'
import { type SoftwareKey, samplePcrs, sampleQuote, sampleValues, softwareKey } from '@interlock/tpm/test-attestation'
import { digest, VerifiedRoots } from '@interlock/trust'
import { beforeAll, describe, expect, test } from 'vitest'

const now = Date.UTC(2026, 10, 24, 12)
const home = partitionOf('job-1', 6)
let fixture: Fixture
let tables: FixtureTables
let key: SoftwareKey

beforeAll(async () => {
  fixture = await createFixture(now)
  key = softwareKey()
  tables = await createTables(fixture, {
    attestationKey: key.publicArea.toString('base64url'),
    pcrs: samplePcrs,
    pcrDigest: pcrDigestOf(sampleValues).toString('base64url'),
  })
})

const parts = (stage: 'approval-router' | 'device-dispatch') => ({
  codec: fixture.codec,
  trust: fixture.trust.anchors,
  roots: new VerifiedRoots(),
  key: fixture.key(stage),
  topology: readTopology(),
  count: () => {},
  alarm: (error: unknown) => {
    throw error
  },
})
const run = <Memory>(processor: Processor<Memory>, partition: number) =>
  new TestPartition(processor, { codec: fixture.codec, tables, partition, now: now + 1000 })

/** What semantic-bounds allowed, at a risk for which two humans are wanted. */
async function risky(): Promise<Decision> {
  const order = await buildOrder(fixture, {
    editStatement: (statement) => ({
      ...statement,
      eventId: statement.eventId.replace(':0:', `:${home}:`),
      ...(statement.stage === 'semantic-bounds' && { obligations: { ...statement.obligations, risk: 'high' } }),
    }),
  })
  return decisionOf(fixture, order, 'semantic-bounds')
}

const passkeyOf = (human: string) => fixture.domain.passkeys.get(human) as SoftwarePasskey
const decisionIn = (writes: readonly Write[]) => writes[0]?.record as Decision
const signer = {
  key: {
    quote: async ({ qualifyingData }: { qualifyingData: Uint8Array }) => {
      const { attest, signature } = sampleQuote(key, { extraData: qualifyingData })
      return { attest: Buffer.from(attest), signature: Buffer.from(signature) }
    },
  },
  pcrs: samplePcrs,
}

/** As the device checks it: offline, from its own trust bundle. */
const verify = (order: Order, at: number) => verifyOrder(order, orderContext(fixture, tables, at))

describe('what approval-router asks, people sign, device-dispatch checks and the device believes is one thing', () => {
  test('a command that two humans approved is ordered, verified by the device, acknowledged and completed', async () => {
    const router = run(approvalRouter(parts('approval-router')), home)
    const asked = decisionIn(await router.meet('decisions.semantic-bounds', 'job-1', await risky()))
    const seen = [asked]
    for (const human of ['bob', 'carol']) {
      const [request] = pendingRequests(seen, fixture.trust.anchors, router.now)
      const approval: Approval = answerRequest(request as NonNullable<typeof request>, 'ALLOW', passkeyOf(human))
      seen.push(decisionIn(await router.meet('approvals', 'job-1', approval)))
    }
    const approved = seen.at(-1) as Decision
    expect(approved).toMatchObject({ verdict: 'ALLOW', risk: 'high' })

    const out = run(outHalf(parts('device-dispatch')), home)
    const writes = await out.meet('decisions.approval-router', 'job-1', approved)
    const order = writes.find(({ topic }) => topic === 'dispatch')?.record as Order
    expect(decisionIn(writes)).toMatchObject({ verdict: 'ALLOW', reasons: [] })
    expect(await verify(order, now + 2000)).toMatchObject({
      ok: true,
      value: { human: 'alice', command: { capability: 'laser.cut' } },
    })

    const back = run(backHalf(parts('device-dispatch')), partitionOf('laser-1', 6))
    await back.meet('dispatch', 'laser-1', order)
    const ending = run(outcomes(parts('device-dispatch')), home)
    const told: Outcome[] = []
    for (const decision of [...seen, decisionIn(writes)])
      told.push(...(await ending.meet(`decisions.${decision.stage}`, 'job-1', decision)).map(({ record }) => record as Outcome))
    for (const status of ['accepted', 'completed'] as const) {
      const ack: Ack = await acknowledge(ackOf(order, status), 'job-1', signer)
      const [receipt] = await back.meet('acks', 'laser-1', ack)
      const ended = await ending.meet('receipts', 'job-1', (receipt as Write).record)
      told.push(...ended.map(({ record }) => record as Outcome))
    }
    expect(told).toMatchObject([{ intentId: approved.intentId, status: 'completed', stage: 'device' }])
  })

  test('attack 96: an order that comes too late is refused by the device as genuine, so that its refusal can end it', async () => {
    const order = await orderNow()
    const late = await verify(order, order.deadline + 1)
    expect(late).toMatchObject({ ok: false, reason: 'deadline-passed', genuine: { orderDigest: expect.any(String) } })
  })
})

async function orderNow(): Promise<Order> {
  const low = await buildOrder(fixture, {
    editStatement: (statement) => ({ ...statement, eventId: statement.eventId.replace(':0:', `:${home}:`) }),
  })
  const out = run(outHalf(parts('device-dispatch')), home)
  const writes = await out.meet('decisions.approval-router', 'job-1', decisionOf(fixture, low, 'approval-router'))
  return writes.find(({ topic }) => topic === 'dispatch')?.record as Order
}

function ackOf(order: Order, status: AckStatement['status']): AckStatement {
  const { obligations } = statementOf(order) as DecisionStatement
  return {
    intentId: order.intentId,
    device: order.device,
    orderDigest: digest((order.statements.at(-1) as Order['statements'][number]).statement),
    nonce: (obligations as OrderObligations).nonce,
    status,
    reason: '',
    measured: {},
    at: now + 3000,
  }
}
