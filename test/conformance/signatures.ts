import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { verifySignature } from '@interlock/trust'
import { type Judgement, report, type SuiteReport, vectorFile } from './suite.ts'

type Wycheproof = {
  testGroups: {
    publicKeyDer?: string
    publicKey?: { pk?: string }
    publicKeyJwk?: object
    tests: { tcId: number; result: string; msg: string; sig: string }[]
  }[]
}

/** Wycheproof cases of the two signature formats that statements, proofs and tokens use. */
function wycheproof(folder: string, suite: string, file: string, verifies = verifiesRaw): SuiteReport | undefined {
  const vectors = vectorFile(folder, 'wycheproof', file) as Wycheproof | undefined
  if (!vectors) return undefined
  return report(
    suite,
    vectors.testGroups.flatMap((group) => {
      const key = createPublicKey({ key: Buffer.from(group.publicKeyDer as string, 'hex'), format: 'der', type: 'spki' })
      return group.tests.map(({ tcId, result, msg, sig }): [string, Judgement] => [
        String(tcId),
        judge(result, verifies(key, msg, sig)),
      ])
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

export const ecdsaP1363 = (folder: string) =>
  wycheproof(folder, 'wycheproof ecdsa p1363', 'ecdsa_secp256r1_sha256_p1363_test.json')
export const ed25519 = (folder: string) => wycheproof(folder, 'wycheproof ed25519', 'ed25519_test.json')
export const ecdsaDer = (folder: string) =>
  wycheproof(folder, 'wycheproof ecdsa der', 'ecdsa_secp256r1_sha256_test.json', verifiesDer)
