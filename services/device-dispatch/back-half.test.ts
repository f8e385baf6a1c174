import {
  type Ack,
  type AckStatement,
  type DeviceEntry,
  type Order,
  partitionOf,
  type Receipt,
  type ReceiptStatement,
  readTopology,
} from '@interlock/contracts'
import { statementOf, type Write } from '@interlock/enforcer'
import { TestPartition } from '@interlock/enforcer/test-partition'
import { createFixture, createTables, type Fixture, type FixtureTables } from '@interlock/sdk/fixture'
import { pcrDigestOf } from '@interlock/tpm'
import {
  type AttestFields,
  endorsementSigner,
  type SoftwareKey,
  samplePcrs,
  sampleValues,
  softwareKey,
} from '@interlock/tpm/test-attestation'
import { canonicalBytes, digest, signStatements, VerifiedRoots, verifySignedStatement } from '@interlock/trust'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { backHalf } from './back-half.ts'
import type { OrdersInFlight } from './orders-in-flight.ts'
import { ackBy, ackStatementOf, orderFor } from './test-acks.ts'

const now = Date.UTC(2026, 10, 24, 12)
const partition = partitionOf('laser-1', 6)
const zeros = digest(Buffer.alloc(0))
const deadline = now + 15_000
const endBy = now + 60_000
const graceMs = 10_000

let fixture: Fixture
let stranger: Fixture
let tables: FixtureTables
let key: SoftwareKey
let back: TestPartition<OrdersInFlight>
let counted: string[]

beforeAll(async () => {
  fixture = await createFixture(now)
  stranger = await createFixture(now)
  key = softwareKey()
})
beforeEach(async () => {
  counted = []
  tables = await createTables(fixture, {
    attestationKey: key.publicArea.toString('base64url'),
    pcrs: samplePcrs,
    pcrDigest: pcrDigestOf(sampleValues).toString('base64url'),
  })
  back = start(partition)
  // Time-outs begin a while after a start.
  await back.tick()
})

function start(at: number): TestPartition<OrdersInFlight> {
  return new TestPartition(backHalf(partsOf()), { codec: fixture.codec, tables, partition: at, now: now + 1000 })
}

async function sent(order?: Order): Promise<Order> {
  const one = order ?? (await orderFor(fixture))
  await back.meet('dispatch', one.device, one)
  return one
}

const only = (writes: readonly Write[]): Receipt => {
  expect(writes.map(({ topic }) => topic)).toEqual(['receipts'])
  return writes[0]?.record as Receipt
}
const meet = async (ack: Ack, name: string = ack.device) => only(await back.meet('acks', name, ack))
const said = ({ result, status, reasons }: Receipt) => [result, status, ...reasons].filter(Boolean).join(' ')
const ackOf = (order: Order, change: Partial<AckStatement> = {}, fields: Partial<AttestFields> = {}) =>
  ackBy(key, ackStatementOf(order, change), fields)
const accepting = { status: 'accepted', measured: {} } as const

describe('the device’s word', () => {
  test('moves an order on: accepted, then completed, each with the facts of its TPM, under our own signature', async () => {
    const order = await sent()
    const accepted = await meet(ackOf(order, accepting))
    expect(said(accepted)).toBe('verified accepted')
    const ack = ackOf(order, {}, { clock: 61_000 })
    const writes = await back.meet('acks', 'laser-1', ack)
    expect(writes[0]?.key).toBe('job-1')
    const completed = only(writes)
    expect(completed).toMatchObject({
      eventId: `device-dispatch:acks:${partition}:1`,
      intentId: order.intentId,
      jobId: 'job-1',
      device: 'laser-1',
      owner: 'alice',
      result: 'verified',
      status: 'completed',
      measured: '{"energyJoules":1200}',
      tpmClockMs: 61_000,
      tpmResetCount: 3,
      tpmRestartCount: 1,
      tpmSafe: true,
      tpmFirmware: '0102030405060708',
      pcrDigest: pcrDigestOf(sampleValues).toString('base64url'),
      ack: fixture.codec.encode('acks', ack),
    })
    const statement = statementOf(completed) as ReceiptStatement
    expect(statement).toMatchObject({ jobId: 'job-1', result: 'verified', ack: digest(fixture.codec.encode('acks', ack)) })
    const signer = verifySignedStatement(completed.statement, fixture.trust.anchors, new VerifiedRoots())
    expect(signer.ok && signer.value.role).toEqual({ kind: 'enforcer', stage: 'device-dispatch' })
  })

  test.each(['failed', 'refused'] as const)('%s ends it, with the device’s reason', async (status) => {
    const order = await sent()
    expect(said(await meet(ackOf(order, { status, reason: 'stopped', measured: {} })))).toBe(`verified ${status} stopped`)
    back.now = endBy + graceMs
    expect(await back.tick()).toEqual([])
  })

  test('waits where the order is not known yet', async () => {
    const order = await orderFor(fixture)
    const incoming = { record: ackOf(order) } as never
    const processor = backHalf(partsOf())
    expect(processor.lacks?.(back.memory, incoming)).toBe(true)
    await sent(order)
    expect(processor.lacks?.(back.memory, incoming)).toBe(false)
  })
})

const partsOf = () => ({
  codec: fixture.codec,
  trust: fixture.trust.anchors,
  roots: new VerifiedRoots(),
  key: fixture.key('device-dispatch'),
  topology: readTopology(),
  count: ({ result }: Receipt) => counted.push(result),
})

describe('attack 98: an ack that is not the enrolled TPM’s word on this order leaves it open', () => {
  const cases: [string, string, (order: Order) => Ack | Promise<Ack>][] = [
    [
      'by another key',
      'quote-signature-invalid',
      (order) => ({ ...ackOf(order), signature: softwareKey().sign(ackOf(order).attest) }),
    ],
    ['by another TPM’s key', 'quote-signature-invalid', (order) => ackBy(softwareKey(), ackStatementOf(order))],
    [
      'by a key that is not restricted',
      'quote-attestation-key-attributes',
      (order) => {
        const free = softwareKey({ attributes: 0x0006_00f2 })
        enrol({ attestationKey: free.publicArea.toString('base64url') })
        return ackBy(free, ackStatementOf(order))
      },
    ],
    ['without the TPM’s magic', 'quote-not-tpm-generated', (order) => ackOf(order, {}, { magic: 0 })],
    ['a certification', 'quote-attest-type', (order) => certification(order)],
    [
      'over another statement',
      'quote-nonce-mismatch',
      (order) => ({ ...ackOf(order), statement: ackOf(order, { at: now + 5 }).statement }),
    ],
    ['from another hierarchy', 'quote-qualified-signer', (order) => ackOf(order, {}, { signer: Buffer.alloc(34) })],
    ['in another measured state', 'quote-pcr-digest', (order) => otherState(ackOf(order))],
    ['of another order of the same intent', 'order-differs', (order) => ackOf(order, { orderDigest: zeros })],
    ['with another nonce', 'nonce-differs', (order) => ackOf(order, { nonce: zeros })],
    ['over another intent', 'columns-differ', (order) => ackOf(order, { intentId: 'another' })],
    ['that names another job', 'columns-differ', (order) => ({ ...ackOf(order), jobId: 'job-2' as Ack['jobId'] })],
    [
      'whose column says another status',
      'columns-differ',
      (order) => ({ ...ackOf(order, { status: 'failed' }), status: 'completed' }),
    ],
    ['of another device', 'device-differs', (order) => ({ ...ackOf(order), device: 'mill-1' as Ack['device'] })],
    ['whose statement cannot be read', 'statement-malformed', (order) => ({ ...ackOf(order), statement: Buffer.from('{ }') })],
    ['with a statement of 100 kB', 'statement-malformed', (order) => ackOf(order, { measured: { note: 'x'.repeat(100_000) } })],
    [
      'with garbage for a quote',
      'quote-signature-malformed',
      (order) => ({ ...ackOf(order), attest: Buffer.alloc(9), signature: Buffer.alloc(3) }),
    ],
  ]
  test.each(cases)('%s: %s', async (_, reason, make) => {
    const order = await sent()
    const ack = await make(order)
    const receipt = await meet({ ...ack, intentId: order.intentId }, ack.device)
    expect(said(receipt)).toBe(`rejected ${ack.status} ${reason}`)
    expect(receipt).toMatchObject({ tpmClockMs: 0, pcrDigest: '', intentId: order.intentId })
    back.now = deadline + graceMs
    expect(said(only(await back.tick()))).toBe('timed-out not-answered-in-time')
  })

  test('with other PCRs than are enrolled', async () => {
    enrol({ pcrs: [0, 4] })
    expect(said(await meet(ackOf(await sent())))).toBe('rejected completed quote-pcr-selection')
  })

  test('under another device’s name in the topic or in its column', async () => {
    const order = await sent()
    expect(said(await meet({ ...ackOf(order), device: 'mill-1' as Ack['device'] }, 'laser-1'))).toBe(
      'rejected completed device-differs',
    )
    expect(said(await meet(ackOf(order), 'mill-1'))).toBe('rejected completed device-differs')
  })

  test('of an intent that was never dispatched', async () => {
    const receipt = await meet(ackOf(await orderFor(fixture)))
    expect(said(receipt)).toBe('rejected completed order-unknown')
    expect((statementOf(receipt) as ReceiptStatement).orderDigest).toBe('')
  })

  test('the device’s refusal of a forged order does not end the genuine one', async () => {
    const order = await sent()
    const forged = digest(Buffer.from('the forged record'))
    expect(
      said(await meet(ackOf(order, { status: 'refused', reason: 'chain-unknown-key', orderDigest: forged, nonce: forged }))),
    ).toBe('rejected refused order-differs')
    expect(said(await meet(ackOf(order)))).toBe('verified completed')
  })

  test('of a device that is unknown or revoked', async () => {
    const order = await sent()
    tables['control.revocations'].set('device:laser-1', { kind: 'device', subject: 'laser-1', from: now, reason: 'test' })
    expect(said(await meet(ackOf(order)))).toBe('rejected completed device-revoked')
    tables['control.revocations'].clear()
    tables['control.devices'].clear()
    expect(said(await meet(ackOf(order)))).toBe('rejected completed device-unknown')
  })

  test('played again', async () => {
    const order = await sent()
    const accepted = ackOf(order, accepting)
    await meet(accepted)
    expect(said(await meet(accepted))).toBe('rejected accepted ack-repeated')
    const completed = ackOf(order, {}, { clock: 61_000 })
    await meet(completed)
    expect(said(await meet(completed))).toBe('rejected completed ack-repeated')
    expect(said(await meet(accepted))).toBe('rejected accepted quote-counter-rollback')
  })

  test('of the same device for another order of its', async () => {
    const [one, two] = [await sent(), await sent()]
    const ack = ackOf(one)
    expect(said(await meet({ ...ack, intentId: two.intentId }))).toBe('rejected completed columns-differ')
    expect(said(await meet(ack))).toBe('verified completed')
  })

  test('cannot make a receipt that nobody can read back', async () => {
    const order = await orderFor(fixture)
    const long = { ...ackOf(order), intentId: 'x'.repeat(500) as Ack['intentId'], jobId: '' as Ack['jobId'] }
    const writes = await back.meet('acks', 'laser-1', long)
    expect(writes[0]?.key).toBe('laser-1')
    expect((statementOf(only(writes)) as ReceiptStatement).intentId).toHaveLength(64)
  })

  const certification = (order: Order) => {
    const attested = Buffer.concat([Buffer.of(0, 34), Buffer.alloc(34), Buffer.of(0, 34), Buffer.alloc(34)])
    return ackOf(order, {}, { type: 0x8017, attested })
  }
  const otherState = (ack: Ack) => {
    enrol({ pcrDigest: digest(Buffer.from('other firmware')) })
    return ack
  }
})

function enrol(change: Partial<Extract<DeviceEntry['attestation'], { kind: 'tpm' }>>): void {
  const device = tables['control.devices'].get('laser-1') as DeviceEntry
  tables['control.devices'].set('laser-1', {
    ...device,
    attestation: { ...device.attestation, ...change } as DeviceEntry['attestation'],
  })
}

describe('attack 99: two last words', () => {
  test('the first counts, another one is equivocation, the same again is a repeat', async () => {
    const order = await sent()
    await meet(ackOf(order, accepting))
    expect(said(await meet(ackOf(order, {}, { clock: 61_000 })))).toBe('verified completed')
    expect(said(await meet(ackOf(order, { status: 'failed', measured: {} }, { clock: 62_000 })))).toBe(
      'rejected failed ack-equivocates',
    )
    expect(said(await meet(ackOf(order, { measured: { energyJoules: 1 } }, { clock: 62_000 })))).toBe(
      'rejected completed ack-equivocates',
    )
    // A device that was cut off says it again, at another time.
    expect(said(await meet(ackOf(order, { at: now + 9000 }, { clock: 63_000 })))).toBe('rejected completed ack-repeated')
  })

  test('also after a restart, when only receipts tell what was said', async () => {
    const order = await sent()
    await meet(ackOf(order))
    await back.restart()
    expect(said(await meet(ackOf(order, { status: 'failed' }, { clock: 62_000 })))).toBe('rejected failed ack-equivocates')
    expect(counted).toEqual(['verified', 'rejected'])
    expect(said(await meet(ackOf(order, { at: now + 9000 }, { clock: 63_000 })))).toBe('rejected completed ack-repeated')
  })
})

describe('the TPM’s counters never go back', () => {
  test.each<[string, Partial<AttestFields>]>([
    ['clock', { clock: 59_999 }],
    ['restartCount', { restartCount: 0, clock: 70_000 }],
    ['resetCount', { resetCount: 2, clock: 70_000 }],
  ])('%s', async (_, fields) => {
    const [one, two] = [await sent(), await sent()]
    await meet(ackOf(one))
    expect(said(await meet(ackOf(two, {}, fields)))).toBe('rejected completed quote-counter-rollback')
    await back.restart()
    expect(said(await meet(ackOf(two, {}, fields)))).toBe('rejected completed quote-counter-rollback')
  })

  test('what a rejected ack shows is not remembered', async () => {
    const order = await sent()
    await meet(ackOf(order, { nonce: digest(Buffer.alloc(0)) }, { clock: 900_000 }))
    expect(said(await meet(ackOf(order)))).toBe('verified completed')
  })

  test('another key, newly enrolled, begins anew', async () => {
    const [one, two] = [await sent(), await sent()]
    await meet(ackOf(one))
    const next = softwareKey()
    enrol({ attestationKey: next.publicArea.toString('base64url') })
    const fields = { clock: 1, resetCount: 0, restartCount: 0, signer: endorsementSigner(next.publicArea) }
    expect(said(await meet(ackBy(next, ackStatementOf(two), fields)))).toBe('verified completed')
  })
})

describe('silence', () => {
  test('of a device that never began is told once, after its deadline and the time its word may take', async () => {
    const order = await sent()
    back.now = deadline + graceMs - 1
    expect(await back.tick()).toEqual([])
    back.now += 1
    const receipt = only(await back.tick())
    expect(said(receipt)).toBe('timed-out not-answered-in-time')
    expect(receipt).toMatchObject({
      eventId: `device-dispatch:dispatch:${partition}:0`,
      intentId: order.intentId,
      owner: 'alice',
    })
    expect(receipt.ack).toBeNull()
    expect((statementOf(receipt) as ReceiptStatement).ack).toBe('')
    expect(await back.tick()).toEqual([])
    await back.restart()
    await back.tick()
    back.now += graceMs
    expect(await back.tick()).toEqual([])
  })

  test('of a device that began is told when it should have ended', async () => {
    const order = await sent()
    await meet(ackOf(order, accepting))
    back.now = endBy + graceMs - 1
    expect(await back.tick()).toEqual([])
    back.now += 1
    expect(said(only(await back.tick()))).toBe('timed-out not-completed-in-time')
    expect(counted).toEqual(['verified', 'timed-out'])
  })

  test('a word after it is late and changes nothing', async () => {
    const order = await sent()
    back.now = deadline + graceMs
    await back.tick()
    expect(said(await meet(ackOf(order)))).toBe('rejected completed ack-late')
    await back.restart()
    expect(said(await meet(ackOf(order)))).toBe('rejected completed ack-late')
  })

  test('after a start what devices said meanwhile is read before anybody is called late', async () => {
    await sent()
    await back.restart()
    back.now = deadline + graceMs
    expect(await back.tick()).toEqual([])
    back.now += graceMs
    expect(await back.tick()).toHaveLength(1)
  })
})

describe('attack 101: a device that floods', () => {
  test('an ack beyond the topic’s bound is parked unread', async () => {
    const ack = { ...ackOf(await sent()), attest: Buffer.alloc(300_000) }
    const decoded = fixture.codec.decode('acks', fixture.codec.encode('acks', ack))
    expect(decoded).toMatchObject({ ok: false, reason: 'too-large' })
    expect(fixture.codec.decode('acks', Buffer.alloc(50_000_000))).toMatchObject({ ok: false, reason: 'too-large' })
  })

  test('a thousand acks of nothing are each answered without touching a key, and another order’s ack counts', async () => {
    const order = await sent()
    const noise = { ...ackOf(order), intentId: 'nothing' as Ack['intentId'], attest: Buffer.alloc(9), signature: Buffer.alloc(9) }
    for (let count = 0; count < 1000; count += 1) expect(said(await meet(noise))).toBe('rejected completed order-unknown')
    expect(back.memory.get('nothing')).toBeUndefined()
    expect(said(await meet(ackOf(order)))).toBe('verified completed')
  })
})

describe('who can write to `dispatch` and `receipts`', () => {
  test('attack 91: cannot open an order that device-dispatch did not sign', async () => {
    const forged = await orderFor(stranger)
    await sent(forged)
    expect(said(await meet(ackOf(forged)))).toBe('rejected completed order-unknown')
    const other = await orderFor(fixture, { signWith: (stage) => (stage === 'device-dispatch' ? 'approval-router' : stage) })
    await sent(other)
    expect(said(await meet(ackOf(other)))).toBe('rejected completed order-unknown')
    back.now = endBy + graceMs
    expect(await back.tick()).toEqual([])
  })

  test('cannot open an order from what is none', async () => {
    const order = await orderFor(fixture)
    await sent({ ...order, statements: order.statements.slice(0, 4) })
    await back.meet('dispatch', 'mill-1', await orderFor(fixture))
    const asRouter = await orderFor(fixture, {
      editStatement: (statement) =>
        statement.stage === 'approval-router'
          ? { ...statement, obligations: { device: 'laser-1', jobId: 'job-1', nonce: zeros, deadline, approvals: [] } }
          : statement,
    })
    const four = asRouter.statements.slice(0, 4)
    await sent({
      ...asRouter,
      eventId: statementOf({ ...asRouter, statements: four })?.eventId as Order['eventId'],
      statements: four,
    })
    const denied = await orderFor(fixture, {
      editStatement: (statement) => (statement.stage === 'device-dispatch' ? { ...statement, verdict: 'DENY' } : statement),
    })
    await sent(denied)
    back.now = endBy + graceMs
    expect(await back.tick()).toEqual([])
  })

  test('attack 94: cannot make an order time out by a copy elsewhere, or twice', async () => {
    const order = await sent()
    const elsewhere = start((partition + 1) % 6)
    await elsewhere.tick()
    await elsewhere.meet('dispatch', 'laser-1', order)
    elsewhere.now = endBy + graceMs
    expect(await elsewhere.tick()).toEqual([])
    await back.meet('dispatch', 'mill-1', { ...order })
    await back.meet('dispatch', 'laser-1', order)
    back.now = endBy + graceMs
    expect(await back.tick()).toHaveLength(1)
  })

  test('cannot close an order by a receipt that device-dispatch did not sign, or signed of another partition’s', async () => {
    const order = await sent()
    await back.meet('receipts', 'job-1', await receiptOf(order, {}, 'approval-router'))
    await back.meet('receipts', 'job-1', await receiptOf(order, { eventId: `device-dispatch:acks:${(partition + 1) % 6}:77` }))
    expect(said(await meet(ackOf(order)))).toBe('verified completed')
    const other = await sent()
    await back.meet('receipts', 'job-1', await receiptOf(other))
    expect(said(await meet(ackOf(other)))).toBe('rejected completed ack-late')
  })

  test('cannot raise a TPM’s counters by an ack that a receipt was not about', async () => {
    const [one, two] = [await sent(), await sent()]
    const high = fixture.codec.encode('acks', ackOf(one, {}, { clock: 900_000 }))
    await back.meet('receipts', 'job-1', { ...(await receiptOf(one)), ack: high })
    expect(said(await meet(ackOf(two)))).toBe('verified completed')
  })

  /** A receipt that says an order was completed. */
  async function receiptOf(order: Order, change: Partial<ReceiptStatement> = {}, signer = 'device-dispatch'): Promise<Receipt> {
    const known = await meet(ackOf(await sent()))
    const statement = {
      ...(statementOf(known) as ReceiptStatement),
      eventId: `device-dispatch:acks:${partition}:${serial++}`,
      intentId: order.intentId,
      orderDigest: ackStatementOf(order).orderDigest,
      ...change,
    }
    const [signed] = await signStatements([canonicalBytes(statement)], fixture.key(signer))
    return { ...known, eventId: statement.eventId as Receipt['eventId'], ack: null, statement: signed as Receipt['statement'] }
  }
})

let serial = 7000
