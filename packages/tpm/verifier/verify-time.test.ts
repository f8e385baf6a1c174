import { describe, expect, it } from 'vitest'
import { attestType } from '../structures/attest.ts'
import { type AttestFields, attestBytes, endorsementSigner, sampleNonce, sampleQuote, softwareKey } from './test-attestation.ts'
import { verifyTime } from './verify-time.ts'

const key = softwareKey()
/** Time 5 ms, clock 7 ms, reset 2, restart 1, safe; firmware 9. */
const body = Buffer.from('00000000000000050000000000000007000000020000000101' + '0000000000000009', 'hex')

function timeEvidence(fields: Partial<AttestFields> = {}) {
  const signer = endorsementSigner(key.publicArea)
  const attest = attestBytes({ type: attestType.time, signer, extraData: sampleNonce, attested: body, ...fields })
  return { attest, signature: key.sign(attest), attestationKey: key.publicArea, expectedExtraData: sampleNonce }
}

describe('a signed time', () => {
  it('is read from the attestation', () => {
    const value = { timeMs: 5, clockMs: 7, resetCount: 2, restartCount: 1, safe: true, firmwareVersion: '0000000000000009' }
    expect(verifyTime(timeEvidence())).toEqual({ ok: true, value })
  })

  it('is refused with another nonce, as a quote, or when it is forged', () => {
    expect(verifyTime(timeEvidence({ extraData: Buffer.alloc(32) }))).toMatchObject({ reason: 'nonce-mismatch' })
    expect(verifyTime(sampleQuote(key))).toMatchObject({ reason: 'attest-type' })
    expect(verifyTime({ ...timeEvidence(), signature: softwareKey().sign(timeEvidence().attest) })).toMatchObject({
      reason: 'signature-invalid',
    })
  })
})
