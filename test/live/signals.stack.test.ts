import { createHash, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@interlock/ops/local'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enterLive, type Live } from './live-system.ts'

const secret = 'secret-of-the-siem'
const sessionRevoked = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked'

/** The token service as a transmitter of Shared Signals, on the real broker: what is not acknowledged survives its kill. */
describe('a receiver of signals', () => {
  let live: Live
  let folder: string
  let receiver: Server
  let service: Awaited<ReturnType<Live['system']['startSecond']>>
  const pushed: string[] = []
  const issuer = () => /"issuer":"([^"]+)"/.exec(service.log().find((line) => line.includes('"msg":"ready"')) ?? '')?.[1] ?? ''

  beforeAll(async () => {
    receiver = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      pushed.push(Buffer.concat(chunks).toString('utf8'))
      response.writeHead(202).end()
    })
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
    folder = mkdtempSync(join(tmpdir(), 'interlock-signals-'))
    const file = join(folder, 'receivers.json')
    const secretSha256 = createHash('sha256').update(secret).digest('base64url')
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/events`
    // A group of its own for each run: the tests' stack is shared.
    const receivers = [
      { id: `siem-${randomUUID()}`, audience: 'siem', secretSha256, delivery: { method: 'poll' } },
      { id: `idp-${randomUUID()}`, audience: 'idp', secretSha256: 'A'.repeat(43), delivery: { method: 'push', url } },
    ]
    writeFileSync(file, JSON.stringify({ receivers }))
    live = await enterLive(['token-service'])
    service = await live.system.startSecond('token-service', {
      // The same after a restart: it is the issuer's name.
      INTERLOCK_OAUTH_PORT: String(await freePort()),
      INTERLOCK_SIGNAL_RECEIVERS: file,
    })
  })
  afterAll(async () => {
    await live.leave()
    receiver.close()
    rmSync(folder, { recursive: true, force: true })
  })

  type Answer = { readonly sets: Record<string, string>; readonly moreAvailable: boolean }
  async function poll(body: object): Promise<Answer> {
    const response = await fetch(`${issuer()}/signals/poll`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    expect(response.status).toBe(200)
    return (await response.json()) as Answer
  }
  const revoke = (job: string) =>
    live.world.enact(
      'control.revocations',
      `job:${job}`,
      { kind: 'job', subject: job, from: Date.now(), reason: 'test' },
      'operator-dev',
    )
  const told = async (text: string, audience: string) => {
    const keys = createRemoteJWKSet(new URL(`${issuer()}/jwks.json`))
    return (await jwtVerify(text, keys, { issuer: issuer(), audience, typ: 'secevent+jwt' })).payload
  }
  /** Waits for the event of a job, acknowledging what else comes. */
  async function untilTold(job: string): Promise<{ readonly jti: string; readonly text: string }> {
    for (let asked = 0; asked < 50; asked += 1) {
      const { sets } = await poll({})
      const others: string[] = []
      for (const [jti, text] of Object.entries(sets)) {
        if ((await told(text, 'siem')).txn === `job:${job}`) return { jti, text }
        others.push(jti)
      }
      await poll({ ack: others, maxEvents: 0 })
    }
    throw new Error(`nothing was told of ${job}`)
  }

  it('polls what was revoked, and gets it again after a kill as long as it has not acknowledged', async () => {
    const job = `job-${randomUUID()}`
    await revoke(job)
    const { jti, text } = await untilTold(job)
    expect(await told(text, 'siem')).toMatchObject({
      txn: `job:${job}`,
      sub_id: { format: 'complex', session: { format: 'opaque', id: job } },
      events: { [sessionRevoked]: { initiating_entity: 'admin' } },
    })
    await service.kill()
    await service.restart()
    expect((await untilTold(job)).jti).toBe(jti)
    await poll({ ack: [jti], maxEvents: 0 })
    // Committed within half a second, also where the process is killed after it.
    await live.quiet()
    await service.kill()
    await service.restart()
    const next = `job-${randomUUID()}`
    await revoke(next)
    await untilTold(next)
    expect(Object.keys((await poll({ returnImmediately: true })).sets)).not.toContain(jti)
  })

  it('is pushed to, by the same events', async () => {
    const job = `job-${randomUUID()}`
    await revoke(job)
    const isTold = async () => {
      for (const text of pushed) if ((await told(text, 'idp')).txn === `job:${job}`) return true
      return false
    }
    await expect.poll(isTold, { timeout: 30_000 }).toBe(true)
  })
})
