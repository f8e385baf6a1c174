import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Ack, AckStatement, DecisionStatement, DeviceEntry, Order, StopEntry } from '@interlock/contracts'
import { FolderStore, ProgramStoreError } from '@interlock/programs'
import { VerifiedRoots } from '@interlock/trust'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { buildIntent, buildOrder, createFixture, type Fixture } from '../fixture/index.ts'
import { createIntent } from '../orchestrator/create-intent.ts'
import { deviceEntry } from '../trust-domain/laboratory.ts'
import { OrderJournal } from './journal.ts'
import { DeviceFailure, type Handler, OrderRunner, type OrderRunnerPorts } from './order-runner.ts'

const now = Date.UTC(2026, 10, 24, 12)
let fixture: Fixture
let order: Order
let bytes: Buffer
beforeAll(async () => {
  fixture = await createFixture(now)
})

let directory: string
let acks: AckStatement[]
let stops: Map<string, StopEntry>
let clock: number
let profile: DeviceEntry
let journal: OrderJournal
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'interlock-runner-'))
  acks = []
  stops = new Map()
  clock = now + 1000
  profile = deviceEntry('laser-1', { attestationKey: 'AA', pcrs: [0], pcrDigest: '' }, now)
  order = await buildOrder(fixture)
  bytes = fixture.codec.encode('dispatch', order)
  journal = OrderJournal.open(join(directory, 'orders.jsonl'))
})
afterEach(() => {
  journal.close()
  rmSync(directory, { recursive: true })
})

const statementOf = (ack: Ack) => JSON.parse(ack.statement.toString('utf8')) as AckStatement
const told = () => acks.map(({ status, reason }) => (reason ? `${status} ${reason}` : status))

function runnerWith(handler: Handler, change: Partial<OrderRunnerPorts> = {}): OrderRunner {
  return new OrderRunner({
    journal,
    signer: {
      key: { quote: async ({ qualifyingData }) => ({ attest: Buffer.from(qualifyingData), signature: Buffer.of(1) }) },
      pcrs: [0],
    },
    handler,
    send: async (ack) => {
      acks.push(statementOf(ack))
    },
    context: () => ({
      ...{ device: 'laser-1', trust: fixture.trust, codec: fixture.codec },
      standing: { stops, revocations: new Map(), federation: new Map() },
      profile,
      now: clock,
      skewMs: 30_000,
      verifiedRoots: new VerifiedRoots(),
    }),
    report: () => undefined,
    ...change,
  })
}

const withUses = (statement: DecisionStatement, uses: object): DecisionStatement =>
  statement.stage === 'semantic-bounds' ? { ...statement, obligations: { ...statement.obligations, uses } } : statement

const stop = (state: StopEntry['state'] = 'stopped') =>
  stops.set('all:', { scope: 'all', subject: '', state, changedAt: clock, reason: '' })

test('runs a good order once and answers accepted, then completed', async () => {
  let runs = 0
  const runner = runnerWith(async () => ({ cutMm: ++runs }))
  await runner.take(order, bytes)
  expect(runs).toBe(1)
  expect(told()).toEqual(['accepted', 'completed'])
  expect(acks[1]).toMatchObject({ intentId: order.intentId, device: 'laser-1', measured: { cutMm: 1 } })
})

describe('ATTACKS 94: an order that is sent again', () => {
  test('is not run again, and not answered again', async () => {
    let runs = 0
    const runner = runnerWith(async () => ({ runs: ++runs }))
    for (let time = 0; time < 3; time++) await runner.take(order, bytes)
    expect(runs).toBe(1)
    expect(told()).toEqual(['accepted', 'completed'])
  })

  test('is not run again after a restart, though it was broken off in the middle', async () => {
    const crash = new Error('power cut')
    let runs = 0
    const dying = runnerWith(async () => ({ runs: ++runs }), { send: () => Promise.reject(crash) })
    await expect(dying.take(order, bytes)).rejects.toBe(crash)
    journal.close()
    journal = OrderJournal.open(join(directory, 'orders.jsonl'))
    const restarted = runnerWith(async () => ({ runs: ++runs }))
    await restarted.recover()
    await restarted.take(order, bytes)
    expect(runs).toBe(0)
    expect(told()).toEqual(['failed interrupted'])
    await restarted.recover()
    expect(acks).toHaveLength(1)
  })

  test('that had ended is answered after the restart as it ended', async () => {
    let sends = 0
    const runner = runnerWith(async () => ({ cutMm: 7 }), {
      send: () => (++sends > 1 ? Promise.reject(new Error('broker away')) : Promise.resolve()),
    })
    await expect(runner.take(order, bytes)).rejects.toThrow('broker away')
    await runnerWith(async () => ({})).recover()
    expect(acks).toMatchObject([{ status: 'completed', measured: { cutMm: 7 } }])
  })
})

test('is on disk as begun before the machine moves', async () => {
  let isEntered = false
  const runner = runnerWith(async () => {
    isEntered = OrderJournal.open(join(directory, 'orders.jsonl')).hasBegun(order.intentId)
    return {}
  })
  await runner.take(order, bytes)
  expect(isEntered).toBe(true)
})

test('does not run where the journal cannot be written', async () => {
  let runs = 0
  const runner = runnerWith(async () => ({ runs: ++runs }))
  journal.close()
  await expect(runner.take(order, bytes)).rejects.toThrow()
  journal = OrderJournal.open(join(directory, 'other.jsonl'))
  expect(runs).toBe(0)
  expect(acks).toEqual([])
})

test('a stop that comes while the order is verified and entered holds it back', async () => {
  let runs = 0
  const runner = runnerWith(async () => ({ runs: ++runs }), {
    send: async (ack) => {
      acks.push(statementOf(ack))
      stop()
    },
  })
  await runner.take(order, bytes)
  expect(runs).toBe(0)
  expect(told()).toEqual(['accepted', 'refused stopped'])
})

test('a deadline that goes by while the broker is away holds it back', async () => {
  let runs = 0
  const runner = runnerWith(async () => ({ runs: ++runs }), {
    send: async (ack) => {
      acks.push(statementOf(ack))
      clock = order.deadline + 1
    },
  })
  await runner.take(order, bytes)
  expect(runs).toBe(0)
  expect(told()).toEqual(['accepted', 'refused deadline-passed'])
})

test('a stop reaches the machine while it moves, and the order has failed whatever the handler says', async () => {
  for (const handler of [
    (_: unknown, signal: AbortSignal) =>
      new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    async (_: unknown, signal: AbortSignal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      return { cutMm: 3 }
    },
  ]) {
    stops.clear()
    acks = []
    const runner = runnerWith(async (work, signal) => {
      setImmediate(() => {
        stop()
        runner.standingChanged()
      })
      return handler(work, signal)
    })
    const fresh = await buildOrder(fixture)
    await runner.take(fresh, fixture.codec.encode('dispatch', fresh))
    expect(told()).toEqual(['accepted', 'failed stopped'])
  }
})

test('a machine that runs past the deadline for beginning is not stopped by an unrelated entry', async () => {
  const runner = runnerWith(async (_, signal) => {
    clock = order.deadline + 60_000
    stops.set('device:mill-1', { scope: 'device', subject: 'mill-1', state: 'stopped', changedAt: clock, reason: '' })
    runner.standingChanged()
    return { isAborted: signal.aborted }
  })
  await runner.take(order, bytes)
  expect(acks[1]).toMatchObject({ status: 'completed', measured: { isAborted: false } })
})

test('a failure of the machine is told with what it had done', async () => {
  await runnerWith(() => Promise.reject(new DeviceFailure('lid-open', { cutMm: 2 }))).take(order, bytes)
  expect(acks[1]).toMatchObject({ status: 'failed', reason: 'lid-open', measured: { cutMm: 2 } })
})

test('an unforeseen exception is told without its text', async () => {
  await runnerWith(() => Promise.reject(new Error('secret'))).take(order, bytes)
  expect(acks[1]).toMatchObject({ status: 'failed', reason: 'handler-error' })
})

test('a genuine order that was refused stays refused when the stop is lifted', async () => {
  let runs = 0
  const runner = runnerWith(async () => ({ runs: ++runs }))
  stop()
  await runner.take(order, bytes)
  stops.clear()
  await runner.take(order, bytes)
  expect(runs).toBe(0)
  expect(told()).toEqual(['refused stopped'])
})

test('ATTACKS 91: a forged order is refused in an answer that cannot end the order it imitates', async () => {
  let runs = 0
  const runner = runnerWith(async () => ({ runs: ++runs }))
  const forged = { ...order, statements: order.statements.slice(0, 4) }
  await runner.take(forged, fixture.codec.encode('dispatch', forged))
  expect(told()).toEqual(['refused chain-missing-statement'])
  await runner.take(order, bytes)
  expect(runs).toBe(1)
  expect(told().slice(1)).toEqual(['accepted', 'completed'])
  expect(acks[0]?.orderDigest).not.toBe(acks[1]?.orderDigest)
  expect(acks[0]?.nonce).not.toBe(acks[1]?.nonce)
})

describe('a program that lies in the store', () => {
  const program = Buffer.from('G0 X1\n'.repeat(100_000))
  let store: FolderStore
  let ran: Buffer | null
  beforeEach(async () => {
    store = new FolderStore(join(directory, 'programs'))
    ran = null
    const reference = { mediaType: 'text/x-gcode', ...(await store.put(program)) }
    const { jobId, tokens } = await buildIntent(fixture)
    const key = fixture.key('agent-laser-operator-z1')
    const { audience } = fixture.domain.bundle
    const asked = { device: 'laser-1', capability: 'laser.cut', parameters: {}, program: { reference } }
    const intent = await createIntent({ job: jobId, ...asked, tokens, key, audience, now })
    order = await buildOrder(fixture, { intent })
    bytes = fixture.codec.encode('dispatch', order)
  })
  const run = async (programs?: OrderRunnerPorts['programs']) => {
    const handler: Handler = async ({ program: found }) => {
      ran = found
      return {}
    }
    await runnerWith(handler, programs ? { programs } : {}).take(order, bytes)
    return told()
  }

  test('is fetched by its digest and given to the machine', async () => {
    expect(await run(store)).toEqual(['accepted', 'completed'])
    expect(ran).toEqual(program)
  })

  test.each<[string, OrderRunnerPorts['programs']]>([
    ['program-not-found', { put: () => store.put(program), get: async () => undefined }],
    ['program-store-missing', undefined],
    [
      'program-store-unavailable',
      {
        put: () => store.put(program),
        get: async () => Promise.reject(new ProgramStoreError('program-store-unavailable', 'away')),
      },
    ],
  ])('%s: the order is refused for good, and nothing moves', async (reason, programs) => {
    expect(await run(programs)).toEqual([`refused ${reason}`])
    expect(ran).toBeNull()
  })
})

test('attack 72: two legal orders whose sum is illegal: the second is refused, and says how much would have been allowed', async () => {
  profile = { ...profile, rates: [{ per: 'device', of: 'energy', max: '5', unit: 'kJ', windowMs: 60_000 }] }
  for (const value of ['4500', '600']) {
    const uses = { energy: { value, unit: 'J' } }
    const made = await buildOrder(fixture, { editStatement: (one) => withUses(one, uses) })
    await runnerWith(async () => ({})).take(made, fixture.codec.encode('dispatch', made))
  }
  expect(told().slice(1)).toEqual(['completed', 'refused rate-exceeded'])
  expect(acks.at(-1)?.measured).toEqual({ parameter: 'energy', asked: '600 J', nearest: '500 J', limitOf: 'machine' })
})

test('a machine that is taken out of service between the look and the move refuses', async () => {
  const send = async (ack: Ack) => {
    acks.push(statementOf(ack))
    profile = { ...profile, state: 'suspended' }
  }
  await runnerWith(async () => ({}), { send }).take(order, bytes)
  expect(told()).toEqual(['accepted', 'refused device-not-active'])
})
