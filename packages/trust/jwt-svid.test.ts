import { generateKeyPairSync } from 'node:crypto'
import type { CommandDigest, IntentId, JobId } from '@interlock/contracts'
import { SignJWT, UnsecuredJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { verifyAdmission } from './admission.ts'
import { verifyAgentAssertion } from './agent-assertion.ts'
import { readAttestationResult } from './attestation-result.ts'
import { verifyDefinitionOrder } from './definition-order.ts'
import { noFederation } from './federated-svid.ts'
import { verifyIntentProof } from './intent-proof.ts'
import { readTaskToken } from './task-token.ts'
import { type TestDomain, testDomain } from './test-domain.ts'

const now = Date.UTC(2026, 10, 24, 12)
const skewMs = 30_000
let domain: TestDomain
beforeAll(async () => {
  domain = await testDomain(['service/token', 'operator/dev'], now)
})

const isRevokedKey = () => false
/** Every place where a compact token is read. A JWT-SVID is a bearer token, so none of them takes one, whatever its audience and whoever signed it. */
const places: [string, (token: string) => { ok: true } | { ok: false; reason: string }][] = [
  [
    'as an intent’s proof (identity-verify, the device)',
    (proof) =>
      verifyIntentProof(proof, {
        ...{ anchors: domain.anchors, federation: noFederation, now, skewMs, leafToken: 'a.b.c' },
        ...{ intentId: 'i' as IntentId, jobId: 'j' as JobId, commandDigest: 'c' as CommandDigest },
      }),
  ],
  ['as a task token (delegation-check, the token service, the device)', (text) => readTaskToken(text)],
  [
    'as a client’s assertion (the token service, the registry)',
    (text) => verifyAgentAssertion(text, { audience: 'enforcer', anchors: domain.anchors, now, skewMs }),
  ],
  ['as an operator’s admission', (text) => verifyAdmission(text, { anchors: domain.anchors, now, skewMs, isRevokedKey })],
  ['as an order of a definition', (text) => verifyDefinitionOrder(text, { anchors: domain.anchors, now, skewMs, isRevokedKey })],
  ['as an attestation result', (text) => readAttestationResult(text, domain.anchors)],
]

const claims = { sub: 'spiffe://lab.example/ns/prod/agent/a1', iat: now / 1000, exp: now / 1000 + 300 }
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const sign = (change: object, header: object = {}) =>
  new SignJWT({ ...claims, aud: ['enforcer'], ...change })
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid: '7p1X9djO3Dtooj90NWhoRmjNrHZj9vO7', ...header })
    .sign(privateKey)

const forms: [string, () => string | Promise<string>][] = [
  ['for us', () => sign({ aud: 'enforcer' })],
  ['without an audience for us', () => sign({ aud: 'other' })],
  ['without an audience', () => sign({ aud: undefined })],
  ['with a list of audiences', () => sign({ aud: ['other', 'enforcer'] })],
  [
    'with the key id of another trust domain',
    () => sign({ sub: 'spiffe://partner.example/robot/r1' }, { kid: '4UyMHxpeGQeV8qtg7C2fIlkKil9wjkDj' }),
  ],
  ['with the key id of a signer of ours', () => sign({}, { kid: domain.signer('service/token').keyId })],
  ['unsigned', () => new UnsecuredJWT({ ...claims, aud: 'enforcer' }).encode()],
]

describe.each(forms)('attack 22: a JWT-SVID %s', (_form, make) => {
  it.each(places)('is refused %s', async (_place, judge) => {
    const judged = judge(await make())
    expect(judged).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/^(header|token-header|jws-malformed|malformed|claims|signature|signer|unknown|result-.*)$/),
    })
  })
})
