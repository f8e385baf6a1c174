import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { algorithmOf, readJws, verifySignature } from '@interlock/trust'
import { type Judgement, report, type SuiteReport, vectorFile } from './suite.ts'

type Group = {
  readonly public?: JsonWebKey & { readonly alg?: string }
  readonly private: JsonWebKey & { readonly alg?: string }
  readonly tests: readonly { readonly tcId: number; readonly result: string; readonly jws: unknown }[]
}

/** Wycheproof's JWS as our reader of tokens and proofs takes them: strict, ES256 and EdDSA only, claims as payload. */
export function jsonWebSignatures(folder: string): SuiteReport | undefined {
  const vectors = vectorFile(folder, 'wycheproof', 'json_web_signature_test.json') as { testGroups: Group[] } | undefined
  if (!vectors) return undefined
  const judged = vectors.testGroups.flatMap((group) =>
    group.tests.map(({ tcId, result, jws }): [string, Judgement] => [String(tcId), judge(result === 'valid', jws, group)]),
  )
  return report('wycheproof jws', judged)
}

function judge(isValid: boolean, jws: unknown, group: Group): Judgement {
  // The JSON serialisation is none that a token may have.
  const read = typeof jws === 'string' ? readJws(jws) : undefined
  const key =
    (group.public ?? group.private).kty === 'oct'
      ? undefined
      : createPublicKey({ key: (group.public ?? group.private) as never, format: 'jwk' })
  const algorithm = key && algorithmOf(key)
  const isAccepted =
    read?.ok === true &&
    key !== undefined &&
    algorithm !== undefined &&
    read.value.header.alg === algorithm &&
    verifySignature(key, read.value.signingInput, read.value.signature)
  if (isAccepted) return isValid ? { kind: 'passed' } : { kind: 'failed', why: 'accepted what must fail' }
  if (!isValid) return { kind: 'passed' }
  if (!algorithm) return { kind: 'left out', why: 'valid, and refused: its algorithm is not on our list' }
  return { kind: 'left out', why: 'valid, and refused: its payload is no JSON object, as claims are' }
}
