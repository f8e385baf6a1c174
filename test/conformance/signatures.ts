import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { isSignedBy, parseSignature } from '@interlock/tpm'
import { verifySignature } from '@interlock/trust'
import { type Judgement, report, type SuiteReport, vectorFile } from './suite.ts'

type Wycheproof = {
  testGroups: {
    publicKeyDer?: string
    publicKey?: { pk?: string }
    publicKeyJwk?: object
    tests: { tcId: number; comment: string; result: string; msg: string; sig: string }[]
  }[]
}

/** Wycheproof cases of the two signature formats that statements, proofs and tokens use. */
function wycheproof(
  folder: string,
  suite: string,
  file: string,
  verifies = verifiesRaw,
  acceptedOnPurpose: ReadonlyMap<string, string> = new Map(),
): SuiteReport | undefined {
  const vectors = vectorFile(folder, 'wycheproof', file) as Wycheproof | undefined
  if (!vectors) return undefined
  return report(
    suite,
    vectors.testGroups.flatMap((group) => {
      const key = createPublicKey({ key: Buffer.from(group.publicKeyDer as string, 'hex'), format: 'der', type: 'spki' })
      return group.tests.map(({ tcId, comment, result, msg, sig }): [string, Judgement] => {
        const isAccepted = verifies(key, msg, sig)
        const why = isAccepted ? acceptedOnPurpose.get(comment) : undefined
        return [String(tcId), why === undefined ? judge(result, isAccepted) : { kind: 'left out', why }]
      })
    }),
  )
}

function verifiesRaw(key: KeyObject, msg: string, sig: string): boolean {
  return verifySignature(key, Buffer.from(msg, 'hex'), Buffer.from(sig, 'hex'))
}

/** Signatures of certificates and revocation lists are DER, verified by OpenSSL. */
function verifiesDer(key: KeyObject, msg: string, sig: string): boolean {
  return verify('sha256', Buffer.from(msg, 'hex'), key, Buffer.from(sig, 'hex'))
}

function judge(result: string, isAccepted: boolean): Judgement {
  if ((result === 'valid') === isAccepted || result === 'acceptable') return { kind: 'passed' }
  return { kind: 'failed', why: isAccepted ? 'accepted a signature that must fail' : 'refused a valid signature' }
}

/** RSA signs here in TPMs alone, so that the signature is read and verified as a TPM's (TPMT_SIGNATURE of RSAPSS and SHA-256). */
function verifiesOfTpm(key: KeyObject, msg: string, sig: string): boolean {
  const bytes = Buffer.from(sig, 'hex')
  const signature = parseSignature(
    Buffer.concat([Buffer.of(0x00, 0x16, 0x00, 0x0b, bytes.length >> 8, bytes.length & 0xff), bytes]),
  )
  return signature.ok && isSignedBy({ type: 'rsa' }, key, signature.value, Buffer.from(msg, 'hex'))
}

const longestSalt = new Map([
  [
    's_len changed to 222',
    'invalid as PS256, taken of a TPM: many take the longest salt that there is room for (TPM 2.0 part 1, B.7)',
  ],
])

export const rsaPss = (folder: string) =>
  wycheproof(folder, 'wycheproof rsa pss', 'rsa_pss_2048_sha256_mgf1_32_test.json', verifiesOfTpm, longestSalt)
export const ecdsaP1363 = (folder: string) =>
  wycheproof(folder, 'wycheproof ecdsa p1363', 'ecdsa_secp256r1_sha256_p1363_test.json')
export const ed25519 = (folder: string) => wycheproof(folder, 'wycheproof ed25519', 'ed25519_test.json')
export const ecdsaDer = (folder: string) =>
  wycheproof(folder, 'wycheproof ecdsa der', 'ecdsa_secp256r1_sha256_test.json', verifiesDer)
