import type { Order, SignedStatement } from '@interlock/contracts'
import { VerifiedRoots } from '@interlock/trust'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { buildOrder, createFixture, type Fixture } from '../fixture/index.ts'
import { deviceEntry } from '../trust-domain/laboratory.ts'
import { DeviceUse } from './device-use.ts'
import { type OrderContext, verifyOrder } from './verify-order.ts'

const now = Date.UTC(2026, 10, 24, 12)
let fixture: Fixture
let good: Order
let other: Order
let context: OrderContext
beforeAll(async () => {
  fixture = await createFixture(now)
  good = await buildOrder(fixture, { approvers: ['bob', 'carol'] })
  other = await buildOrder(fixture, { approvers: ['carol', 'bob'] })
  context = {
    device: 'laser-1',
    trust: fixture.trust,
    standing: { stops: new Map(), revocations: new Map(), federation: new Map() },
    profile: deviceEntry('laser-1', { attestationKey: 'AA', pcrs: [0], pcrDigest: '' }, now),
    codec: fixture.codec,
    hasBegun: () => false,
    use: new DeviceUse(),
    now: now + 1000,
    skewMs: 30_000,
    verifiedRoots: new VerifiedRoots(),
  }
})

/** One change of one element; what it leaves equal is filtered out by the property. */
type Mutation = (order: Order) => Order

const flipped = (bytes: Buffer, bit: number): Buffer => {
  const copy = Buffer.from(bytes)
  if (copy.length === 0) return copy
  const index = Math.floor(bit / 8) % copy.length
  copy[index] = (copy[index] as number) ^ (1 << (bit % 8))
  return copy
}
const bit = fc.nat({ max: 1_000_000 })
const stage = fc.nat({ max: 4 })
const onStatement = (index: number, change: (signed: SignedStatement) => SignedStatement): Mutation => {
  return (order) => {
    const signed = order.statements[index]
    return signed ? { ...order, statements: order.statements.with(index, change(signed)) } : order
  }
}
/** The statements of these places, as far as an earlier change left them there. */
const statementsAt = (order: Order, indices: readonly number[]) => indices.flatMap((index) => order.statements[index] ?? [])
const approvalsAt = (order: Order, indices: readonly number[]) => indices.flatMap((index) => order.approvals[index] ?? [])

const statementMutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(stage, bit).map(([index, at]) => onStatement(index, (one) => ({ ...one, statement: flipped(one.statement, at) }))),
  fc.tuple(stage, bit).map(([index, at]) => onStatement(index, (one) => ({ ...one, signature: flipped(one.signature, at) }))),
  fc
    .tuple(stage, bit)
    .map(([index, at]) => onStatement(index, (one) => ({ ...one, path: one.path.map((hash) => flipped(hash, at)) }))),
  fc
    .tuple(stage, fc.integer({ min: -1, max: 9 }))
    .map(([index, treeSize]) => onStatement(index, (one) => ({ ...one, treeSize }))),
  fc
    .tuple(stage, fc.integer({ min: -1, max: 9 }))
    .map(([index, leafIndex]) => onStatement(index, (one) => ({ ...one, leafIndex }))),
  fc.tuple(stage, stage).map(
    ([index, from]): Mutation =>
      (order) => {
        const [source] = statementsAt(order, [from])
        return onStatement(index, (one) => ({ ...one, keyId: source?.keyId ?? '' }))(order)
      },
  ),
  fc
    .tuple(stage, fc.integer({ min: 0, max: 40 }))
    .map(([index, length]) => onStatement(index, (one) => ({ ...one, signature: one.signature.subarray(0, length) }))),
  fc.tuple(stage, stage).map(
    ([index, from]): Mutation =>
      (order) =>
        onStatement(index, (one) => statementsAt(order, [from])[0] ?? one)(order),
  ),
  fc.tuple(stage, stage).map(([index, from]): Mutation => onStatement(index, () => other.statements[from] as SignedStatement)),
  stage.map(
    (index): Mutation =>
      (order) => ({ ...order, statements: order.statements.toSpliced(index, 1) }),
  ),
  fc.tuple(stage, stage).map(
    ([index, from]): Mutation =>
      (order) => ({ ...order, statements: order.statements.toSpliced(index, 0, ...statementsAt(order, [from])) }),
  ),
  fc.shuffledSubarray([0, 1, 2, 3, 4]).map(
    (indices): Mutation =>
      (order) => ({ ...order, statements: statementsAt(order, indices) }),
  ),
)

const recordMutation: fc.Arbitrary<Mutation> = fc.oneof(
  bit.map(
    (at): Mutation =>
      (order) => ({ ...order, intent: flipped(order.intent, at) }),
  ),
  fc.constant<Mutation>((order) => ({ ...order, intent: other.intent })),
  fc.tuple(fc.nat({ max: 1 }), bit).map(
    ([index, at]): Mutation =>
      (order) => ({ ...order, approvals: order.approvals.map((one, place) => (place === index ? flipped(one, at) : one)) }),
  ),
  fc.shuffledSubarray([0, 1]).map(
    (indices): Mutation =>
      (order) => ({ ...order, approvals: approvalsAt(order, indices) }),
  ),
  fc.constant<Mutation>((order) => ({ ...order, approvals: other.approvals })),
  fc.string().map(
    (text): Mutation =>
      (order) => ({ ...order, eventId: text as Order['eventId'] }),
  ),
  fc.string().map(
    (text): Mutation =>
      (order) => ({ ...order, intentId: text as Order['intentId'] }),
  ),
  fc.string().map(
    (text): Mutation =>
      (order) => ({ ...order, jobId: text as Order['jobId'] }),
  ),
  fc.string().map(
    (text): Mutation =>
      (order) => ({ ...order, device: text as Order['device'] }),
  ),
  fc.nat().map(
    (deadline): Mutation =>
      (order) => ({ ...order, deadline }),
  ),
  fc.nat().map(
    (decidedAt): Mutation =>
      (order) => ({ ...order, decidedAt }),
  ),
)

const textOf = (order: Order) => JSON.stringify(order)

test('every change of one or more elements of a good order is refused with a reason code', async () => {
  const mutations = fc.array(fc.oneof(statementMutation, recordMutation), { minLength: 1, maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(mutations, async (changes) => {
      const changed = changes.reduce((order, change) => change(order), good)
      fc.pre(textOf(changed) !== textOf(good))
      // Another good order is one of the things that changes can add up to.
      fc.pre(textOf(changed) !== textOf(other))
      const verdict = await verifyOrder(changed, context)
      expect(verdict.ok).toBe(false)
      if (!verdict.ok) expect(verdict.reason).toMatch(/^[a-z][a-z0-9-]+$/)
    }),
    { numRuns: 2000 },
  )
})

test('the unchanged order is accepted by the same context', async () => {
  expect(await verifyOrder(good, context)).toMatchObject({ ok: true })
})
