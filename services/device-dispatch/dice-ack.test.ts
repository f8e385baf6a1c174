import { createPublicKey } from 'node:crypto'
import { coseSign1, diceContext } from '@interlock/attestation'
import { writeCbor } from '@interlock/attestation/cbor'
import { testDice, testLayer } from '@interlock/attestation/test-dice'
import { type Ack, type AckStatement, type DeviceEntry, partitionOf, type Receipt, readTopology } from '@interlock/contracts'
import { TestPartition } from '@interlock/enforcer/test-partition'
import { acknowledge } from '@interlock/sdk'
import { createFixture, createTables, type Fixture } from '@interlock/sdk/fixture'
import { softwareKey } from '@interlock/tpm/test-attestation'
import { VerifiedRoots } from '@interlock/trust'
import { beforeEach, expect, test } from 'vitest'
import { backHalf } from './back-half.ts'
import type { OrdersInFlight } from './orders-in-flight.ts'
import { ackBy, ackStatementOf, orderFor } from './test-acks.ts'

const now = Date.UTC(2026, 10, 24, 12)
const dice = testDice()
let fixture: Fixture
let back: TestPartition<OrdersInFlight>

beforeEach(async () => {
  fixture = await createFixture(now)
  const tables = await createTables(fixture, { attestationKey: 'AA', pcrs: [0], pcrDigest: 'A'.repeat(43) })
  const device = tables['control.devices'].get('laser-1') as DeviceEntry
  const leafKey = spkiOf(dice)
  const attestation = { kind: 'dice' as const, leafKey, appraisedAt: now, appraisalAgeMsMax: 60_000 }
  tables['control.devices'].set('laser-1', { ...device, attestation })
  const parts = {
    codec: fixture.codec,
    trust: fixture.trust.anchors,
    roots: new VerifiedRoots(),
    key: fixture.key('device-dispatch'),
    topology: readTopology(),
    count: () => {},
  }
  back = new TestPartition(backHalf(parts), {
    codec: fixture.codec,
    tables,
    partition: partitionOf('laser-1', 6),
    now: now + 1000,
  })
})

async function meet(ack: Ack): Promise<string> {
  const receipt = (await back.meet('acks', ack.device, ack))[0]?.record as Receipt
  return [receipt.result, ...receipt.reasons].join(' ')
}
async function statement(change: Partial<AckStatement> = {}): Promise<AckStatement> {
  const order = await orderFor(fixture)
  await back.meet('dispatch', order.device, order)
  return ackStatementOf(order, change)
}
const signed = async (change: Partial<AckStatement> = {}) => acknowledge(await statement(change), 'job-1', dice)

test('takes the word of a device by the key of what it runs', async () => {
  const said = await statement({ status: 'accepted', measured: {} })
  expect(await meet(await acknowledge(said, 'job-1', dice))).toBe('verified')
  expect(await meet(await acknowledge({ ...said, status: 'completed' }, 'job-1', dice))).toBe('verified')
})

test('attack 99: the first last word counts, another one is equivocation, the same again is a repeat', async () => {
  const said = await statement()
  expect(await meet(await acknowledge(said, 'job-1', dice))).toBe('verified')
  expect(await meet(await acknowledge({ ...said, at: said.at + 1 }, 'job-1', dice))).toBe('rejected ack-repeated')
  expect(await meet(await acknowledge({ ...said, status: 'failed' }, 'job-1', dice))).toBe('rejected ack-equivocates')
})

const otherFirmware = testDice({ layers: [testLayer('boot loader'), testLayer('another firmware')] })
test.each<[string, () => Promise<Ack>, string]>([
  [
    'another firmware of the same device',
    async () => acknowledge(await statement(), 'job-1', otherFirmware),
    'dice-answer-signature',
  ],
  [
    'another device',
    async () => acknowledge(await statement(), 'job-1', testDice({ uds: Buffer.alloc(32, 1) })),
    'dice-answer-signature',
  ],
  ['a quote of a TPM', async () => ackBy(softwareKey(), await statement()), 'dice-answer-malformed'],
  [
    'its answer to an appraisal',
    async () => {
      const ack = await signed()
      const options = { context: diceContext.appraisal, payload: ack.statement, isDetached: true }
      return { ...ack, signature: coseSign1(dice.leafKey, options) }
    },
    'dice-answer-signature',
  ],
  ['something beside the signature', async () => ({ ...(await signed()), attest: Buffer.of(1) }), 'dice-answer-malformed'],
  ['no signature', async () => ({ ...(await signed()), signature: Buffer.alloc(0) }), 'dice-answer-malformed'],
  [
    'a signature of a kilobyte and more',
    async () => ({
      ...(await signed()),
      signature: writeCbor([writeCbor(new Map([[1, -8]])), new Map(), null, Buffer.alloc(1025)]),
    }),
    'dice-answer-malformed',
  ],
  ['another nonce', async () => signed({ nonce: 'A'.repeat(43) }), 'nonce-differs'],
  ['another order', async () => signed({ orderDigest: 'A'.repeat(43) }), 'order-differs'],
])('attack 98: not by %s', async (_, ack, reason) => {
  expect(await meet(await ack())).toBe(`rejected ${reason}`)
})

function spkiOf({ leafKey }: typeof dice): string {
  return createPublicKey(leafKey).export({ type: 'spki', format: 'der' }).toString('base64url')
}
