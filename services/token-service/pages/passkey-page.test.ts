import { randomUUID } from 'node:crypto'
import type { Human } from '@interlock/contracts'
import { TokenClient } from '@interlock/sdk'
import { createFixture, type Fixture } from '@interlock/sdk/fixture'
import { jobGrants } from '@interlock/sdk/trust-domain'
import {
  type PasskeyInvitation,
  type PasskeyRegistration,
  passkeyRegistrationSchema,
  signPasskeyInvitation,
  verifyPasskeyRegistration,
} from '@interlock/trust'
import axe from 'axe-core'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../test-server.ts'
import { openPage, startBrowser, type TestPage } from './test-browser.ts'

let fixture: Fixture
let browser: Browser
let server: TestServer
let tab: TestPage
let made: PasskeyRegistration
beforeAll(async () => {
  fixture = await createFixture(Date.now())
  browser = await startBrowser()
  server = await startTestServer(fixture, { isForBrowser: true })
  tab = await openPage(browser)
  made = await make(await invite())
})
afterAll(async () => {
  await browser.close()
  server.stop()
})

function invite(change: Partial<PasskeyInvitation> = {}, by = fixture.key('operator-dev')): Promise<string> {
  const iat = Math.floor(Date.now() / 1000)
  const claims = {
    iss: by.spiffeId,
    aud: fixture.domain.bundle.audience,
    jti: randomUUID(),
    iat,
    exp: iat + 3600,
    human: 'alice',
  }
  return signPasskeyInvitation({ ...claims, ...change }, by)
}
async function make(invitation: string): Promise<PasskeyRegistration> {
  await tab.page.goto('about:blank')
  await tab.page.goto(`${server.issuer}/passkeys/new#${invitation}`)
  await tab.page.getByRole('button', { name: 'Make a passkey' }).click()
  await tab.page.getByRole('status').filter({ hasText: 'Made.' }).waitFor({ timeout: 20_000 })
  return passkeyRegistrationSchema.parse(JSON.parse(await tab.page.getByLabel('Send this to your operator').inputValue()))
}
const verified = (registration: PasskeyRegistration, change: object = {}) =>
  verifyPasskeyRegistration(registration, {
    anchors: server.anchors,
    now: Date.now(),
    skewMs: 30_000,
    ...change,
    isRevokedKey: () => false,
  })
const reasonOf = async (asked: ReturnType<typeof verified>) => {
  const result = await asked
  return result.ok ? 'good' : result.reason
}

describe('a passkey that a browser made for an invited human', () => {
  it('is theirs by the operator’s invitation, and allows their jobs once it is among their credentials', async () => {
    const registered = await verified(made)
    if (!registered.ok) throw new Error(registered.reason)
    const { human, credential } = registered.value
    expect(human).toBe('alice')
    const entry = server.agents.get('human:alice') as Human
    server.agents.set('human:alice', { ...entry, credentials: [...entry.credentials, credential] })
    const orchestrator = await TokenClient.open(server.issuer, fixture.key('agent-job-orchestrator-o1'))
    const job = await orchestrator.requestJob({ human: 'alice', grants: jobGrants })
    await tab.page.goto(job.verificationUri)
    await tab.page.getByRole('button', { name: 'Allow with passkey' }).click()
    await tab.page.getByRole('status').filter({ hasText: 'Allowed.' }).waitFor({ timeout: 20_000 })
    expect(await orchestrator.rootToken(job)).toMatch(/^ey/)
    expect(tab.complaints).toEqual([])
  })

  it.each<[string, () => Promise<string>, string]>([
    ['under another invitation', () => invite(), 'registration'],
    ['invited by nobody who may', () => invite({}, fixture.key('service-token')), 'invitation-signer'],
    ['invited for another system', () => invite({ aud: 'other' }), 'invitation-audience'],
    ['invited for a month', () => invite({ exp: Math.floor(Date.now() / 1000) + 2_592_000 }), 'invitation-validity-too-long'],
  ])('counts for nothing %s', async (_what, make, reason) =>
    expect(await reasonOf(verified({ ...made, invitation: await make() }))).toBe(reason))

  it('counts for nothing when the invitation is over', async () =>
    expect(await reasonOf(verified(made, { now: Date.now() + 2 * 3_600_000 }))).toBe('invitation-expired'))

  it.each([
    ['origin', { origins: ['https://console.lab.interlock.example'], rpId: 'localhost' }],
    ['relying party', { origins: () => [server.issuer], rpId: 'lab.interlock.example' }],
  ])('attack 81: counts for nothing made for another %s', async (_what, webauthn) => {
    const origins = typeof webauthn.origins === 'function' ? webauthn.origins() : webauthn.origins
    const anchors = { ...server.anchors, webauthn: { ...webauthn, origins } }
    expect(await reasonOf(verified(made, { anchors }))).toBe('registration')
  })

  const withClientData = (change: object): PasskeyRegistration => {
    const { response } = made.registration
    const data = JSON.parse(Buffer.from(response.clientDataJSON, 'base64url').toString('utf8')) as object
    const clientDataJSON = Buffer.from(JSON.stringify({ ...data, ...change })).toString('base64url')
    return { ...made, registration: { ...made.registration, response: { ...response, clientDataJSON } } }
  }
  it.each<[string, object]>([
    ['inside another page', { crossOrigin: true }],
    ['inside another page that is named', { topOrigin: 'https://evil.example' }],
    ['as an assertion', { type: 'webauthn.get' }],
  ])('attack 81: counts for nothing made %s', async (_what, change) => {
    expect(await reasonOf(verified(withClientData({})))).toBe('good')
    expect(await reasonOf(verified(withClientData(change)))).toBe('registration')
  })

  it('attack 82: counts for nothing where the user was not verified', async () => {
    const { response } = made.registration
    const bytes = Buffer.from(response.attestationObject, 'base64url')
    // Flags follow the RP ID's hash in authData; UV is bit 2 (WebAuthn L3 §6.1).
    const hash = await crypto.subtle.digest('SHA-256', Buffer.from('localhost'))
    const at = bytes.indexOf(Buffer.from(hash)) + 32
    bytes[at] = (bytes[at] as number) & ~0x04
    const registration = { ...made.registration, response: { ...response, attestationObject: bytes.toString('base64url') } }
    expect(await reasonOf(verified({ ...made, registration }))).toBe('registration')
  })
})

describe('the page', () => {
  it('says for whom, is whole without an invitation, and can be used by everybody', async () => {
    for (const address of ['/passkeys/new', `/passkeys/new#${await invite()}`]) {
      await tab.page.goto('about:blank')
      await tab.page.goto(`${server.issuer}${address}`)
      await tab.page.evaluate(axe.source)
      const { violations } = await tab.page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run())
      expect(violations.map(({ id }) => id)).toEqual([])
    }
    expect(await tab.page.getByRole('main').innerText()).toContain('For alice')
  })
})
