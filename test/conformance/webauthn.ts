import type { Human } from '@interlock/contracts'
import { verifyAssertion } from '@interlock/trust'
import { decodeAttestationObject, isoUint8Array, parseAuthenticatorData } from '@simplewebauthn/server/helpers'
import { type Judgement, report, type SuiteReport, vectorFile } from './suite.ts'

type Block = Readonly<Record<string, string>>
type Vector = { readonly id: string; readonly blocks: readonly Block[] }

const expected = { rpId: 'example.org', origins: ['https://example.org'] }
const bytes = (hex: string | undefined) => Buffer.from(hex ?? '', 'hex')
const isUserVerified = (authenticatorData: Buffer) => ((authenticatorData[32] ?? 0) & 0x04) !== 0

/** W3C WebAuthn Level 3 §16: assertions of fifteen credentials. We ask for a verified user and no frame of somebody else's, so what has not is refused. */
export async function webauthn(vectors: string): Promise<SuiteReport | undefined> {
  const read = vectorFile(vectors, 'webauthn', 'webauthn-l3-vectors.json') as Vector[] | undefined
  if (!read) return undefined
  const judged: [string, Judgement][] = []
  for (const { id, blocks } of read) {
    const [registration, assertion] = blocks
    if (!registration || !assertion) continue
    const name = id.replace('sctn-test-vectors-', '')
    const human = humanWith(registration)
    const given = { ...assertion, credential: human.credentials[0]?.id ?? '' }
    judged.push([name, unsupported.get(name) ?? judge(given, await verdict(given, human))])
    // Nothing that is altered passes, of the ones that are refused anyway too.
    for (const part of ['signature', 'challenge', 'authenticatorData', 'clientDataJSON'])
      judged.push([`${name}, ${part} altered`, mustFail(await verdict({ ...given, [part]: altered(given, part) }, human))])
  }
  return report('webauthn l3', judged)
}

/** What no browser makes today. */
const unsupported: ReadonlyMap<string, Judgement> = new Map([
  ['packed-ed448', { kind: 'left out', why: 'valid, refused: Ed448, which the WebAuthn library does not verify' }],
])

function humanWith(registration: Block): Human {
  const object = decodeAttestationObject(new Uint8Array(bytes(registration.attestationObject)))
  const { credentialID, credentialPublicKey, flags } = parseAuthenticatorData(object.get('authData'))
  const text = (value: Uint8Array | undefined) => Buffer.from(value ?? isoUint8Array.fromHex('')).toString('base64url')
  const credential = { id: text(credentialID), publicKey: text(credentialPublicKey), backupEligible: flags.be }
  return { kind: 'human', sub: 'alice', roles: ['approver'], state: 'active', credentials: [credential] }
}

async function verdict(given: Block, human: Human): Promise<string> {
  const assertion = {
    credentialId: given.credential ?? '',
    authenticatorData: bytes(given.authenticatorData),
    clientDataJson: bytes(given.clientDataJSON),
    signature: bytes(given.signature),
  }
  const checked = await verifyAssertion({ assertion, challenge: bytes(given.challenge).toString('base64url'), human, expected })
  return checked.ok ? 'ok' : checked.reason
}

function judge(given: Block, found: string): Judgement {
  const client = JSON.parse(bytes(given.clientDataJSON).toString('utf8')) as { crossOrigin?: boolean; topOrigin?: string }
  const isFramed = client.crossOrigin === true || client.topOrigin !== undefined
  const isVerified = isUserVerified(bytes(given.authenticatorData))
  if (isFramed || !isVerified) {
    const why = isFramed ? 'valid, refused on purpose: from inside another page' : 'valid, refused on purpose: user not verified'
    return found === 'ok' ? { kind: 'failed', why: `accepted: ${why}` } : { kind: 'left out', why }
  }
  if (found === 'ok') return { kind: 'passed' }
  return { kind: 'failed', why: `refused a valid assertion: ${found}` }
}

const mustFail = (found: string): Judgement => (found === 'ok' ? { kind: 'failed', why: 'accepted' } : { kind: 'passed' })

function altered(given: Block, part: string): string {
  const value = bytes(given[part])
  const at = part === 'authenticatorData' ? 36 : Math.floor(value.length / 2)
  value[at] = (value[at] ?? 0) ^ 1
  return value.toString('hex')
}
