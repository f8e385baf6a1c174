import { setTimeout as wait } from 'node:timers/promises'
import type { AgentEntry, AskedGrant, RevocationEntry } from '@interlock/contracts'
import { listen } from '@interlock/enforcer'
import { createTables, type Fixture } from '@interlock/sdk/fixture'
import { assertWithPasskey, type SoftwarePasskey } from '@interlock/sdk/software-passkey'
import { canonicalBytes, digest, SingleUse, type TrustAnchors } from '@interlock/trust'
import { tokenApp } from './app.ts'
import { GrantRequests } from './grant-requests.ts'
import { IssuedTokens } from './issued-tokens.ts'
import { mutualTlsOptions, type ServerCertificate } from './mutual-tls.ts'
import type { OAuthError } from './oauth-error.ts'
import { StandingGrants } from './standing-grants.ts'
import { writeServerCertificate } from './test-mutual-tls.ts'

/** The token service over real HTTP, with its log in memory, so that the log can fail. */
export type TestServer = {
  readonly issuer: string
  /** The base URL for mutual TLS. */
  readonly mtlsUrl: string
  readonly agents: Map<string, AgentEntry>
  readonly revocations: Map<string, RevocationEntry>
  readonly recorded: string[]
  readonly issued: IssuedTokens
  /** The fixture's, but for whose passkeys count. */
  readonly anchors: TrustAnchors
  readonly requests: GrantRequests
  /** Causes of refusals, which clients are not told. */
  readonly causes: string[]
  isLogAway: boolean
  /** How long it takes to record something. */
  logMs: number
  /** What a browser does: reads what is asked, signs it with a passkey, sends the assertion. */
  answer(userCode: string, human?: string, edit?: (request: AskedGrant) => AskedGrant): Promise<Response>
  stop(): void
}

export type TestServerOptions = {
  /** Adds endpoints of another part of the service. */
  readonly extend?: (app: ReturnType<typeof tokenApp>) => void
  /** Passkeys then belong to the server's own address on this machine; else to the laboratory's console. */
  readonly isForBrowser?: boolean
}

export async function startTestServer(
  fixture: Fixture,
  { extend = () => {}, isForBrowser = false }: TestServerOptions = {},
): Promise<TestServer> {
  const tables = await createTables(fixture, { attestationKey: 'AA', pcrs: [0], pcrDigest: 'A'.repeat(43) })
  const agents = tables['control.agents'] as Map<string, AgentEntry>
  const revocations = tables['control.revocations'] as Map<string, RevocationEntry>
  const recorded: string[] = []
  const causes: string[] = []
  const issued = new IssuedTokens()
  const standing = new StandingGrants()
  const requests = new GrantRequests()
  const state = { isLogAway: false, logMs: 0, issuer: '', mtlsUrl: '', anchors: fixture.trust.anchors }
  const app = tokenApp(
    {
      get issuer() {
        return state.issuer
      },
      get mtls() {
        return { url: state.mtlsUrl }
      },
      key: fixture.key('service-token'),
      get anchors() {
        return state.anchors
      },
      tables: { agents, revocations },
      issued,
      standing,
      requests,
      used: new SingleUse(),
      log: {
        async issued(_claims, signingInput) {
          await wait(state.logMs)
          if (state.isLogAway) throw new Error('the log is away')
          recorded.push(signingInput)
        },
        async stands(_grant, _consent, record) {
          await wait(state.logMs)
          if (state.isLogAway) throw new Error('the log is away')
          recorded.push(record)
        },
        async revoked(entry) {
          revocations.set(`${entry.kind}:${entry.subject}`, entry)
        },
      },
      now: () => Date.now(),
      startedAt: Date.now(),
    },
    {
      refused: (_path, error: OAuthError) => causes.push(String(error.cause)),
      failed: (_path, error) => causes.push(String(error)),
    },
  )
  extend(app)
  const { server, port } = await listen(app, '127.0.0.1', 0)
  state.issuer = `http://${isForBrowser ? 'localhost' : '127.0.0.1'}:${port}`
  if (isForBrowser) state.anchors = { ...state.anchors, webauthn: { rpId: 'localhost', origins: [state.issuer] } }
  const mutual = await listen(app, '127.0.0.1', 0, mutualTlsOptions(await serverCertificateOf(fixture)))
  state.mtlsUrl = `https://127.0.0.1:${mutual.port}`
  return {
    agents,
    revocations,
    recorded,
    issued,
    requests,
    causes,
    get anchors() {
      return state.anchors
    },
    get issuer() {
      return state.issuer
    },
    get mtlsUrl() {
      return state.mtlsUrl
    },
    get isLogAway() {
      return state.isLogAway
    },
    set isLogAway(value) {
      state.isLogAway = value
    },
    get logMs() {
      return state.logMs
    },
    set logMs(value) {
      state.logMs = value
    },
    async answer(userCode, human = 'alice', edit = (request) => request) {
      const asked = (await (await fetch(`${state.issuer}/grants/${userCode}`)).json()) as { request: AskedGrant }
      const passkey = fixture.domain.passkeys.get(human) as SoftwarePasskey
      const challenge = Buffer.from(digest(canonicalBytes(edit(asked.request))), 'base64url')
      const { credentialId, ...bytes } = assertWithPasskey(passkey, challenge)
      const text = Object.entries(bytes).map(([name, value]) => [name, value.toString('base64url')])
      return fetch(`${state.issuer}/grants/${userCode}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ credentialId, ...Object.fromEntries(text) }),
      })
    },
    stop: () => {
      server.close()
      mutual.server.close()
    },
  }
}

const certificates = new WeakMap<Fixture, Promise<ServerCertificate>>()
function serverCertificateOf(fixture: Fixture): Promise<ServerCertificate> {
  const files = certificates.get(fixture) ?? writeServerCertificate(fixture)
  certificates.set(fixture, files)
  return files
}
