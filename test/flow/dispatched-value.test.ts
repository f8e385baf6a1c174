import { approvalRouter } from '@interlock/approval-router/processor'
import { type Decision, type DecisionStatement, type Intent, type Order, partitionOf } from '@interlock/contracts'
import { outHalf } from '@interlock/device-dispatch/out-half'
import { enforce, type Processor, statementOf } from '@interlock/enforcer'
import { TestPartition } from '@interlock/enforcer/test-partition'
import { verifyOrder } from '@interlock/sdk'
import {
  buildIntent,
  buildOrder,
  createFixture,
  createTables,
  decisionOf,
  type Fixture,
  type FixtureTables,
  orderContext,
} from '@interlock/sdk/fixture'
import { semanticBounds } from '@interlock/semantic-bounds/stage'
import { canonicalBytes, digest, VerifiedRoots } from '@interlock/trust'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { readPolicyBundle } from '../../ops/policies/bundle.ts'

const now = Date.UTC(2026, 10, 24, 12)
const home = partitionOf('job-1', 6)
let fixture: Fixture
let tables: FixtureTables
let serial = 0

beforeAll(async () => {
  fixture = await createFixture(now)
  tables = await createTables(fixture, { attestationKey: 'AA', pcrs: [0], pcrDigest: digest(Buffer.alloc(0)) })
  const { revision, wasm, data } = readPolicyBundle()
  const policy = {
    kind: 'bounds' as const,
    revision,
    sequence: 1,
    wasm: wasm.toString('base64url'),
    wasmSha256: digest(wasm),
    data,
  }
  tables['control.policies'].set('bounds', policy)
})

const parts = (stage: 'semantic-bounds' | 'approval-router' | 'device-dispatch') => ({
  codec: fixture.codec,
  trust: fixture.trust.anchors,
  roots: new VerifiedRoots(),
  key: fixture.key(stage),
  alarm: (error: unknown) => {
    throw error
  },
})
const run = <Memory>(processor: Processor<Memory>) =>
  new TestPartition(processor, { codec: fixture.codec, tables, partition: home, now: now + 1000 })

/** The order for an intent, by the three stages that are there for it, after delegation-check allowed up to 80 W. */
async function orderFor(intent: Intent): Promise<Order | undefined> {
  const place = serial++
  const before = await buildOrder(fixture, {
    intent,
    editStatement: (statement) => {
      const eventId = statement.eventId.replace(':0:7', `:${home}:${place}`)
      const grant = { limits: { power: { max: '80', unit: 'W' } } }
      const isDelegation = statement.stage === 'delegation-check'
      return { ...statement, eventId, ...(isDelegation && { obligations: { ...statement.obligations, grant } }) }
    },
  })
  let record = decisionOf(fixture, before, 'delegation-check')
  const semantic = run(
    enforce(semanticBounds({ ask: () => Promise.reject(new Error('nobody else is asked')) }), parts('semantic-bounds')),
  )
  record = (await semantic.meet('decisions.delegation-check', 'job-1', record))[0]?.record as Decision
  record = (await run(approvalRouter(parts('approval-router'))).meet('decisions.semantic-bounds', 'job-1', record))[0]
    ?.record as Decision
  if (!record) return undefined
  const writes = await run(outHalf(parts('device-dispatch'))).meet('decisions.approval-router', 'job-1', record)
  return writes.find(({ topic }) => topic === 'dispatch')?.record as Order | undefined
}

/** As the device checks it, from its own trust bundle. */
const verify = (order: Order) => verifyOrder(order, orderContext(fixture, tables, now + 1500))

describe('the value that was checked is the value dispatched, to the last digit', () => {
  it('attack 73: in any unit that it was asked in, over stages, topics and the device', async () => {
    const power = fc.record({ tenths: fc.integer({ min: 20, max: 800 }), unit: fc.constantFrom('W', 'mW', 'kW') })
    await fc.assert(
      fc.asyncProperty(power, async ({ tenths, unit }) => {
        const watts = (tenths / 10).toString()
        const asked = { W: watts, mW: (tenths * 100).toString(), kW: (tenths / 10_000).toFixed(4) }[unit] as string
        const intent = await buildIntent(fixture, { power: { value: asked, unit } })
        const order = (await orderFor(intent)) as Order
        const verified = await verify(order)
        if (!verified.ok) throw new Error(verified.reason)
        expect(verified.value.quantities.power).toEqual({ value: watts, unit: 'W' })
        expect(verified.value.command.parameters.power).toEqual({ value: asked, unit })
        expect(fixture.codec.decode('intents', order.intent, 'Intent')).toMatchObject({ value: { command: intent.command } })
      }),
      { numRuns: 12 },
    )
  })

  it('and nothing is dispatched beyond it, by the last digit that there is', async () => {
    expect(await orderFor(await buildIntent(fixture, { power: { value: '80.1', unit: 'W' } }))).toBeUndefined()
    expect(await orderFor(await buildIntent(fixture, { power: { value: '80.000000000000000001', unit: 'W' } }))).toBeUndefined()
    expect(await orderFor(await buildIntent(fixture, { power: { value: '80.0', unit: 'W' } }))).toBeDefined()
  })

  it('attack 73: the device refuses an order whose parameters, or whose checked numbers, were changed on the way', async () => {
    const order = (await orderFor(await buildIntent(fixture))) as Order
    const intent = fixture.codec.decode('intents', order.intent, 'Intent')
    if (!intent.ok) throw new Error(intent.reason)
    const command = JSON.parse(intent.value.command.toString('utf8'))
    command.parameters.power.value = '61'
    const other = fixture.codec.encode('intents', { ...intent.value, command: canonicalBytes(command) })
    expect((await verify({ ...order, intent: other })).ok).toBe(false)
    const bounds = statementOf({ statements: order.statements.slice(0, 3) } as Decision) as DecisionStatement
    const quantities = { ...(bounds.obligations.quantities as object), power: { value: '61', unit: 'W' } }
    const edited = canonicalBytes({ ...bounds, obligations: { ...bounds.obligations, quantities } })
    const third = { ...(order.statements[2] as Order['statements'][number]), statement: edited }
    expect((await verify({ ...order, statements: order.statements.with(2, third) })).ok).toBe(false)
  })
})
