import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { findNodeTpm2, type NodeTpm2, openNodeTpm2Key } from './node-tpm2-key.ts'

/** Its calls and their shapes as observed of node-tpm2-linux-x64-gnu 0.3.0 (docs/decisions/0003-node-tpm2.md). */
function observedNative(): NodeTpm2 & { created: number } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const native = {
    created: 0,
    createKey: async () => {
      native.created++
      return { keyBlob: { public: Buffer.from('public'), private: Buffer.from('private') } }
    },
    keyBlobPublicDer: async () => publicKey.export({ format: 'der', type: 'spki' }),
    // The native part is given a digest; signing the message that hashes to it is the same to a verifier.
    signKeyBlob: async ({ digest }: { digest: Buffer }) => {
      expect(digest).toHaveLength(32)
      return sign('sha256', Buffer.from('message'), { key: privateKey, dsaEncoding: 'ieee-p1363' })
    },
  }
  return native
}

describe('node-tpm2', () => {
  it('is absent where there is no /dev/tpmrm0, installed or not', () => {
    expect(findNodeTpm2('/nowhere/tpmrm0')).toBeUndefined()
  })

  it('signs with a key that it made, and again with the stored one', async () => {
    const native = observedNative()
    const key = await openNodeTpm2Key(native)
    const signature = await key.sign(Buffer.from('message'))
    expect(verify('sha256', Buffer.from('message'), { key: key.publicKey, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true)
    expect((await openNodeTpm2Key(native, key.blob)).publicKey.equals(key.publicKey)).toBe(true)
    expect(native.created).toBe(1)
  })
})
