import { spawnSync } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import type { SoftwarePasskey } from '@interlock/sdk/software-passkey'
import { type Browser, type CDPSession, chromium, type Page } from 'playwright-core'

/** Where Chromium is on this machine; ops/setup/programs.mjs brings it. @throws where it is nowhere */
function findChromium(): string {
  const names = ['chromium', 'chromium-browser', 'google-chrome', '/Applications/Chromium.app/Contents/MacOS/Chromium']
  const look = names.map((name) => `command -v ${name}`).join(' || ')
  const found = spawnSync('sh', ['-c', look], { encoding: 'utf8' }).stdout.trim()
  if (found === '') throw new Error('no Chromium here; `npm test` installs it')
  return found
}

export const startBrowser = (): Promise<Browser> => chromium.launch({ executablePath: findChromium() })

/** A page of its own with an authenticator that verifies its user, as a phone's or a laptop's does, and no passkeys yet. */
export type TestPage = {
  readonly page: Page
  /** What the browser said of scripts and of the policy. */
  readonly complaints: string[]
  hold(passkey: SoftwarePasskey): Promise<void>
}

export async function openPage(browser: Browser): Promise<TestPage> {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, locale: 'en-GB', timezoneId: 'UTC' })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('Failed to load resource')) complaints.push(message.text())
  })
  const devtools = await context.newCDPSession(page)
  const authenticatorId = await addAuthenticator(devtools)
  return { page, complaints, hold: (passkey) => addPasskey(devtools, authenticatorId, passkey) }
}

async function addAuthenticator(devtools: CDPSession): Promise<string> {
  await devtools.send('WebAuthn.enable')
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return authenticatorId
}

async function addPasskey(devtools: CDPSession, authenticatorId: string, passkey: SoftwarePasskey): Promise<void> {
  const key = createPrivateKey({ key: passkey.privateKey, format: 'jwk' })
  const standard = (bytes: Buffer) => bytes.toString('base64')
  await devtools.send('WebAuthn.addCredential', {
    authenticatorId,
    credential: {
      credentialId: standard(Buffer.from(passkey.credentialId, 'base64url')),
      isResidentCredential: true,
      rpId: passkey.rpId,
      privateKey: standard(key.export({ type: 'pkcs8', format: 'der' })),
      userHandle: standard(Buffer.from(passkey.human)),
      signCount: 0,
    },
  })
}
