import type { KeyObject } from 'node:crypto'
import { readPublicJwk, verifySignature } from '@interlock/trust'
import { type Judgement, report, type SuiteReport, vectorFile } from './suite.ts'

type Group = {
  readonly public?: { readonly keys: readonly object[] }
  readonly private: { readonly keys: readonly object[] }
  readonly tests: readonly { readonly tcId: number; readonly result: string; readonly jws: string }[]
}

/**
 * Wycheproof's keys in JSON, as our reader of keys in proofs takes them. Their payload is no JSON, which our reader of tokens refuses whatever the key is, so that
 * the signature is judged by itself. We read no key sets: each key is tried, and a set is as good as the best in it.
 */
export function jsonWebKeys(folder: string): SuiteReport | undefined {
  const vectors = vectorFile(folder, 'wycheproof', 'json_web_key_test.json') as { testGroups: Group[] } | undefined
  if (!vectors) return undefined
  return report(
    'wycheproof jwk',
    vectors.testGroups.flatMap((group) => {
      const keys = (group.public ?? group.private).keys.flatMap((jwk) => readPublicJwk(jwk) ?? [])
      return group.tests.map(({ tcId, result, jws }): [string, Judgement] => [String(tcId), judge(result === 'valid', keys, jws)])
    }),
  )
}

function judge(isValid: boolean, keys: readonly KeyObject[], jws: string): Judgement {
  const isAccepted = keys.some((key) => isSignedBy(key, jws))
  if (isAccepted) return isValid ? { kind: 'passed' } : { kind: 'failed', why: 'accepted what must fail' }
  if (!isValid) return { kind: 'passed' }
  return { kind: 'left out', why: 'valid, and refused: keys of RSA and symmetric keys prove nothing here' }
}

/** Whether a key made the signature of a compact JWS, whatever its payload is. */
export function isSignedBy(key: KeyObject, jws: string): boolean {
  const at = jws.lastIndexOf('.')
  return verifySignature(key, Buffer.from(jws.slice(0, at)), Buffer.from(jws.slice(at + 1), 'base64url'))
}
