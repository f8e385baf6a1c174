import {
  constants,
  createCipheriv,
  createHmac,
  diffieHellman,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
} from 'node:crypto'
import { accepted, type Result } from '@interlock/contracts'
import type { Credential } from '../commands/activate-credential.ts'
import { coordinateLength, hashLength } from '../structures/algorithms.ts'
import { sized } from '../structures/bytes.ts'
import { type EndorsementKeyArea, readEndorsementKey } from './endorsement-key.ts'
import { kdfa, kdfe } from './key-derivation.ts'

const label = 'IDENTITY'

/** A seed that only the endorsement key can recover, and the bytes it recovers it from (part 1, B.10.3 and C.6.3). */
function sharedSeed({ area, key }: EndorsementKeyArea): { seed: Buffer; encryptedSecret: Buffer } {
  const hash = area.nameAlgorithm
  if (area.type === 'rsa') {
    const seed = randomBytes(hashLength[hash])
    const how = { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash, oaepLabel: Buffer.from(`${label}\0`) }
    return { seed, encryptedSecret: publicEncrypt(how, seed) }
  }
  const ephemeral = generateKeyPairSync('ec', { namedCurve: area.curve })
  const { x, y } = ephemeral.publicKey.export({ format: 'jwk' }) as { x: string; y: string }
  const [ephemeralX, ephemeralY] = [Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]
  const endorsementX = Buffer.concat([Buffer.alloc(coordinateLength[area.curve] - area.x.length), area.x])
  const secret = diffieHellman({ privateKey: ephemeral.privateKey, publicKey: key })
  const seed = kdfe(secret, { hash, label, partyU: ephemeralX, partyV: endorsementX, bits: hashLength[hash] * 8 })
  return { seed, encryptedSecret: Buffer.concat([sized(ephemeralX), sized(ephemeralY)]) }
}

/**
 * TPM2_MakeCredential in software (part 1, 24): `secret` can be recovered only by the TPM that holds the endorsement key, and only while
 * an object of this very name is loaded in it. So who returns it has the attestation key in that TPM (check 4).
 */
export function makeCredential(request: {
  /** TPMT_PUBLIC, whose certificate was verified. */
  endorsementKey: Uint8Array
  /** Name of the attestation key, computed from its public area. */
  name: Uint8Array
  secret: Uint8Array
}): Result<Credential, 'public-area-malformed' | 'endorsement-key'> {
  const endorsement = readEndorsementKey(request.endorsementKey)
  if (!endorsement.ok) return endorsement
  const { area, symmetric } = endorsement.value
  const hash = area.nameAlgorithm
  if (request.secret.length > hashLength[hash])
    throw new RangeError(`secret of ${request.secret.length} bytes: ${hashLength[hash]} at most`)

  const { seed, encryptedSecret } = sharedSeed(endorsement.value)
  const encryptionKey = kdfa(seed, { hash, label: 'STORAGE', partyU: request.name, bits: symmetric.keyBits })
  // The key is used once, so the fixed IV of the specification repeats nothing.
  const cipher = createCipheriv(`aes-${symmetric.keyBits}-cfb`, encryptionKey, Buffer.alloc(16))
  const encrypted = Buffer.concat([cipher.update(sized(request.secret)), cipher.final()])
  const integrityKey = kdfa(seed, { hash, label: 'INTEGRITY', bits: hashLength[hash] * 8 })
  const integrity = createHmac(hash, integrityKey).update(encrypted).update(request.name).digest()
  return accepted({ credentialBlob: Buffer.concat([sized(integrity), encrypted]), encryptedSecret })
}
