import { randomBytes } from 'node:crypto'
import type { DeviceGrant, Human } from '@interlock/contracts'
import { TokenClient } from '@interlock/sdk'
import { createFixture, type Fixture } from '@interlock/sdk/fixture'
import { createPasskey, credentialOf, type SoftwarePasskey } from '@interlock/sdk/software-passkey'
import { agentSpiffeId, jobGrants } from '@interlock/sdk/trust-domain'
import { readTaskToken, verifyConsent, verifyDelegation } from '@interlock/trust'
import axe from 'axe-core'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../test-server.ts'
import { openPage, startBrowser, type TestPage } from './test-browser.ts'

const laser = agentSpiffeId('laser-operator', 'z1')

let fixture: Fixture
let browser: Browser
let server: TestServer
let orchestrator: TokenClient
let tab: TestPage
let alices: SoftwarePasskey
beforeAll(async () => {
  fixture = await createFixture(Date.now())
  browser = await startBrowser()
})
afterAll(() => browser.close())
beforeEach(async () => {
  server = await startTestServer(fixture, { isForBrowser: true })
  orchestrator = await TokenClient.open(server.issuer, fixture.key('agent-job-orchestrator-o1'))
  tab = await openPage(browser)
  alices = createPasskey('alice', { rpId: 'localhost', origin: server.issuer }, randomBytes(32))
  server.agents.set('human:alice', { ...alice(), credentials: [credentialOf(alices)] })
})
afterEach(async () => {
  await tab.page.context().close()
  server.stop()
})
const alice = () => server.agents.get('human:alice') as Human

const ask = () => orchestrator.requestJob({ human: 'alice', grants: jobGrants, mayDelegateTo: [laser], job: 'job-7' })
const askStanding = () =>
  orchestrator.requestStandingGrant({
    ...{ human: 'alice', grants: jobGrants, mayDelegateTo: [laser], lifetime: 1800 },
    ...{ name: 'nightly-cut', jobs: 5, jobsPerDay: 2 },
  })
const open = (uri: string) => tab.page.goto(uri)
const allow = () => tab.page.getByRole('button', { name: 'Allow with passkey' }).click()
const said = async (text: string) => {
  await tab.page.getByRole('status').filter({ hasText: text }).waitFor({ timeout: 20_000 })
  expect(tab.complaints).toEqual([])
}
const isOpen = (code: string) => server.requests.asked(code, Date.now()) !== undefined
const shown = () => tab.page.getByRole('main').innerText()

describe('a human in a browser', () => {
  it('sees who asks for what, allows it with a passkey, and the token counts by the rules of every verifier', async () => {
    await tab.hold(alices)
    const job = await ask()
    await open(job.verificationUri)
    const text = await shown()
    for (const part of [
      'alice',
      fixture.key('agent-job-orchestrator-o1').spiffeId,
      'job-orchestrator, version 1.0.0, active',
      'power 1 to 80 W, speed 1 to 300 mm/s; at most 10000 commands',
      laser,
      'job-7',
    ])
      expect(text).toContain(part)
    await allow()
    await said('Allowed.')
    const token = await orchestrator.rootToken(job)
    const { spiffeId, keyId } = fixture.key('agent-job-orchestrator-o1')
    const held = { agent: spiffeId, thumbprint: keyId, revocations: server.revocations, now: Date.now(), skewMs: 30_000 }
    const delegation = verifyDelegation([token], { ...held, anchors: server.anchors })
    if (!delegation.ok) throw new Error(delegation.reason)
    const { root } = delegation.value
    const consent = await verifyConsent({ root, human: alice(), expected: server.anchors.webauthn, skewMs: 30_000 })
    expect(consent).toMatchObject({ ok: true, value: { job: 'job-7', kind: 'grant' } })
  })

  it('allows a standing grant, whose limits they see, and jobs begin without them', async () => {
    await tab.hold(alices)
    const { standingGrant, verificationUri } = await askStanding()
    await open(verificationUri)
    const text = await shown()
    for (const part of ['Allow jobs while you are away?', 'called nightly-cut, 5 at most, 2 at most in 24 hours', '30 minutes'])
      expect(text).toContain(part)
    await allow()
    await said('Allowed.')
    const { token, job } = await orchestrator.startJob(standingGrant)
    const read = readTaskToken(token)
    expect(read.ok && read.value.claims.job).toBe(job)
  })

  it('refuses with a key press, without a passkey', async () => {
    const job = await ask()
    await open(job.verificationUri)
    await tab.page.getByRole('button', { name: 'Refuse' }).focus()
    await tab.page.keyboard.press('Enter')
    await said('Refused.')
    expect(await tab.page.getByRole('button').count()).toBe(0)
    await expect(orchestrator.rootToken(job)).rejects.toMatchObject({ code: 'access_denied' })
  })

  it('sees what tools may be called with, value by value', async () => {
    const limits = { to: { values: ['lab@example.org', 'p\u043est'] }, amount: { max: '20' } }
    const tools = { type: 'interlock_tool', locations: ['mail'], actions: ['send'], limits, maxCount: 3 } as const
    await open((await orchestrator.requestJob({ human: 'alice', grants: [tools as never] })).verificationUri)
    const text = await shown()
    for (const part of ['send of mail, at most 3 calls', '"lab@example.org", "p⟨U+043E⟩st"', '20']) expect(text).toContain(part)
  })

  it('types the code as they read it', async () => {
    const { userCode } = await ask()
    await open(`${server.issuer}/grants`)
    const typed = `${userCode.slice(0, 4)}-${userCode.slice(4)}`.toLowerCase()
    await tab.page.getByLabel('The code that the agent showed you').fill(typed)
    await tab.page.keyboard.press('Enter')
    await tab.page.getByRole('heading', { name: 'Allow this job?' }).waitFor()
  })

  it('is told that a code is wrong or over', async () => {
    const { userCode, verificationUri } = await ask()
    const pending = server.requests.asked(userCode, Date.now())
    Object.assign(pending as object, { expiresAt: Date.now() })
    expect((await open(verificationUri))?.status()).toBe(404)
    expect(await tab.page.getByRole('alert').innerText()).toContain('no open question under this code')
  })

  it('is told where the time ran out while they read', async () => {
    await tab.hold(alices)
    const { userCode, verificationUri } = await ask()
    await open(verificationUri)
    Object.assign(server.requests.asked(userCode, Date.now()) as object, { expiresAt: Date.now() })
    await allow()
    await said('no longer open')
  })
})

describe('no signature that counts', () => {
  it('comes of a device that holds none of the human’s passkeys', async () => {
    const { userCode, verificationUri } = await ask()
    await tab.hold(createPasskey('bob', { rpId: 'localhost', origin: server.issuer }, randomBytes(32)))
    await open(verificationUri)
    await allow()
    await said('Nothing was signed')
    expect(isOpen(userCode)).toBe(true)
    expect(await tab.page.getByRole('button', { name: 'Refuse' }).isEnabled()).toBe(true)
  })

  it('attack 84: comes of another key under the name of the human’s', async () => {
    const { userCode, verificationUri } = await ask()
    const id = Buffer.from(alices.credentialId, 'base64url')
    await tab.hold(createPasskey('alice', { rpId: 'localhost', origin: server.issuer }, id))
    await open(verificationUri)
    await allow()
    await said('Your signature does not count here')
    expect([isOpen(userCode), server.causes]).toEqual([true, ['assertion']])
  })

  it('attack 81: comes of a page at another address, though it is the same machine', async () => {
    await tab.hold(alices)
    const { userCode, verificationUri } = await ask()
    Object.assign(server.anchors.webauthn, { origins: ['https://console.lab.interlock.example'] })
    await open(verificationUri)
    await allow()
    await said('Your signature does not count here')
    expect(isOpen(userCode)).toBe(true)
  })
})

describe('attack 88: what is hostile is shown and does nothing', () => {
  const named = (name: string, unit = 'W'): DeviceGrant => ({
    type: 'interlock_device',
    locations: ['laser-1'],
    actions: ['laser.cut'],
    limits: { [name]: { min: '1', max: '80', unit } },
    maxCount: 1,
  })
  async function show(grants: DeviceGrant[], summary: string): Promise<string> {
    const { userCode, verificationUri } = await ask()
    const pending = server.requests.asked(userCode, Date.now())
    // As if a request had come past what the endpoint refuses.
    Object.assign(pending?.request as object, { grants, summary })
    await open(verificationUri)
    return shown()
  }

  it('markup, in the summary as in a name', async () => {
    const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
    const text = await show([named('<b onclick=alert(1)>power</b>')], `laser.cut ${markup} & [a](javascript:alert(1))`)
    expect(text).toContain(`laser.cut ${markup} & [a](javascript:alert(1))`)
    expect(text).toContain('<b onclick=alert(1)>power</b>')
    expect(await tab.page.title()).toBe('Allow this job? · Interlock')
    expect(await tab.page.locator('main img, main b, main script, main a').count()).toBe(0)
    expect(tab.complaints).toEqual([])
  })

  it('what runs backwards, is not seen, looks like another letter, or begins a line', async () => {
    const text = await show([named('p\u043ewer', 'W\u202e'), named('power\nspeed')], 'at most 8\u200b0 W\u202e')
    for (const part of ['p⟨U+043E⟩wer', 'W⟨U+202E⟩', 'power⟨U+000A⟩speed', 'at most 8⟨U+200B⟩0 W⟨U+202E⟩'])
      expect(text).toContain(part)
    expect(text).not.toMatch(/[\u200b\u202e\u043e]/)
  })
})

describe('the pages', () => {
  it.each([
    ['the question', async () => (await ask()).verificationUri],
    ['the question for a standing grant', async () => (await askStanding()).verificationUri],
    ['the form for the code', async () => `${server.issuer}/grants`],
    ['the answer to a wrong code', async () => `${server.issuer}/grants/WRONGCDE`],
  ])('%s can be used by everybody, in light and in dark, and fits a phone', async (_what, uriOf) => {
    await open(await uriOf())
    for (const colorScheme of ['light', 'dark'] as const) {
      await tab.page.emulateMedia({ colorScheme })
      await tab.page.evaluate(axe.source)
      const { violations } = await tab.page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run())
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
    }
    const overflow = await tab.page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
    expect(overflow).toBeLessThanOrEqual(0)
    expect(tab.complaints).toEqual([])
  })

  it('run no script but ours, are framed by nobody and kept by nobody', async () => {
    const { verificationUri } = await ask()
    const response = await fetch(verificationUri, { headers: { accept: 'text/html' } })
    const header = (name: string) => response.headers.get(name)
    expect(header('content-security-policy')).toMatch(/default-src 'none'.*script-src 'self'.*frame-ancestors 'none'/)
    expect(header('content-security-policy')).not.toContain('unsafe')
    expect([header('cache-control'), header('referrer-policy'), header('vary')]).toEqual(['no-store', 'no-referrer', 'accept'])
    await open(verificationUri)
    await tab.page.addScriptTag({ content: 'document.title = "theirs"' }).catch(() => undefined)
    expect(await tab.page.title()).toBe('Allow this job? · Interlock')
  })

  it('are for browsers: a program is answered as ever', async () => {
    const { verificationUri } = await ask()
    for (const accept of ['*/*', 'application/json', 'text/htmlx'])
      expect(await (await fetch(verificationUri, { headers: { accept } })).json()).toHaveProperty('request.kind', 'grant')
  })

  it('take an answer as JSON alone: another site’s form can send none', async () => {
    const { userCode, verificationUri } = await ask()
    const headers = { 'content-type': 'text/plain' }
    expect((await fetch(verificationUri, { method: 'POST', headers, body: '{}' })).status).toBe(400)
    expect(server.causes).toEqual(['content-type'])
    expect(isOpen(userCode)).toBe(true)
  })

  it('tell an agent that nobody registered from one that somebody answers for', async () => {
    const { verificationUri } = await ask()
    await open(verificationUri)
    expect(await shown()).not.toContain('nobody known')
    server.agents.delete('definition:job-orchestrator')
    await open(verificationUri)
    expect(await shown()).toContain('nobody known')
  })
})
