import { type Ack, type DeviceEntry, partitionOf, type Receipt, readTopology } from '@interlock/contracts'
import { TestPartition } from '@interlock/enforcer/test-partition'
import { acknowledge } from '@interlock/sdk'
import { createFixture, createTables, type Fixture } from '@interlock/sdk/fixture'
import { type AttestationKey, openAttestationKey, pcrDigestOf, pcrExtend, pcrRead } from '@interlock/tpm'
import { startTestTpm, type TestTpm } from '@interlock/tpm/test-tpm'
import { VerifiedRoots } from '@interlock/trust'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { backHalf } from './back-half.ts'
import type { OrdersInFlight } from './orders-in-flight.ts'
import { ackStatementOf, orderFor } from './test-acks.ts'

const now = Date.UTC(2026, 10, 24, 12)
const pcrs = [0, 4, 7]
let fixture: Fixture
let tpm: TestTpm
let transport: Awaited<ReturnType<TestTpm['open']>>
let key: AttestationKey
let back: TestPartition<OrdersInFlight>
let device: DeviceEntry

beforeAll(async () => {
  fixture = await createFixture(now)
  tpm = await startTestTpm()
  await open()
  const pcrDigest = pcrDigestOf(await pcrRead(transport, pcrs)).toString('base64url')
  const tables = await createTables(fixture, { attestationKey: key.publicArea.toString('base64url'), pcrs, pcrDigest })
  device = tables['control.devices'].get('laser-1') as DeviceEntry
  const parts = {
    codec: fixture.codec,
    trust: fixture.trust.anchors,
    roots: new VerifiedRoots(),
    key: fixture.key('device-dispatch'),
    topology: readTopology(),
    count: () => {},
  }
  const where = { codec: fixture.codec, tables, partition: partitionOf('laser-1', 6), now: now + 1000 }
  back = new TestPartition(backHalf(parts), where)
}, 60_000)
afterAll(async () => {
  await transport?.close()
  await tpm?.stop()
})

async function open(): Promise<void> {
  transport = await tpm.open()
  key = await openAttestationKey(transport)
}

async function meet(ack: Ack): Promise<Receipt> {
  const writes = await back.meet('acks', ack.device, ack)
  return writes[0]?.record as Receipt
}

async function sent() {
  const order = await orderFor(fixture)
  await back.meet('dispatch', order.device, order)
  return order
}

test('takes the word of a real TPM, across its restart, and no longer once something else was booted', async () => {
  const order = await sent()
  const first = await meet(await acknowledge(ackStatementOf(order, { status: 'accepted', measured: {} }), 'job-1', { key, pcrs }))
  expect(first).toMatchObject({
    result: 'verified',
    status: 'accepted',
    reasons: [],
    tpmSafe: true,
    pcrDigest: device.attestation.kind === 'tpm' && device.attestation.pcrDigest,
  })

  await transport.close()
  await tpm.restart({ orderly: true })
  await open()
  const second = await meet(await acknowledge(ackStatementOf(order), 'job-1', { key, pcrs }))
  expect(second).toMatchObject({ result: 'verified', status: 'completed' })
  expect(second.tpmResetCount).toBeGreaterThan(first.tpmResetCount)

  await pcrExtend(transport, 4, Buffer.alloc(32, 9))
  const third = await sent()
  const other = await meet(await acknowledge(ackStatementOf(third), 'job-1', { key, pcrs }))
  expect(other).toMatchObject({ result: 'rejected', reasons: ['quote-pcr-digest'] })
}, 60_000)
