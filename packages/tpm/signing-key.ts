import { createHash, type KeyObject, X509Certificate } from 'node:crypto'
import type { SpiffeId } from '@interlock/contracts'
import type { SigningKey } from '@interlock/trust'
import { createPrimary } from './commands/create-primary.ts'
import { handle as wellKnown } from './commands/execute.ts'
import { flushContext } from './commands/flush-context.ts'
import { sign } from './commands/sign.ts'
import { parsePublicArea, publicKeyOf } from './structures/public-area.ts'
import { p1363Of, parseSignature } from './structures/signature.ts'
import { signingKeyTemplate } from './templates.ts'
import { TpmError } from './tpm-error.ts'
import type { TpmTransport } from './transport/transport.ts'

/** A P-256 key that signs from where it cannot be copied, before a certificate names its owner. */
export type Es256Key = {
  readonly publicKey: KeyObject
  /** ES256: r ‖ s, 64 bytes, over the SHA-256 of `bytes`. */
  sign(bytes: Uint8Array): Promise<Buffer>
}

export type TpmEs256Key = Es256Key & {
  readonly publicArea: Buffer
  readonly name: Buffer
  /** For `AttestationKey.certify`. */
  readonly handle: number
  close(): Promise<void>
}

const coordinateBytes = 32

function badResponse(said: string): TpmError {
  return new TpmError('tpm-bad-response', said, { remedy: 'open the transport anew', retriable: false })
}

function signatureOf(bytes: Buffer): Buffer {
  const parsed = parseSignature(bytes)
  const fixed = parsed.ok && parsed.value.algorithm === 'ecdsa' ? p1363Of(parsed.value, coordinateBytes) : undefined
  if (!fixed) throw badResponse('TPM2_Sign answered no ECDSA signature')
  return fixed
}

/** Opens the TPM's signing key of this label: the same key at each start, another for each label. It is never an attestation key. */
export async function openSigningKey(transport: TpmTransport, label: string): Promise<TpmEs256Key> {
  const key = await createPrimary(transport, wellKnown.endorsement, signingKeyTemplate(label))
  const area = parsePublicArea(key.publicArea)
  const publicKey = area.ok ? publicKeyOf(area.value) : undefined
  if (!publicKey) throw badResponse('TPM2_CreatePrimary answered no P-256 key')
  return {
    ...key,
    publicKey,
    sign: async (bytes) => signatureOf(await sign(transport, key.handle, createHash('sha256').update(bytes).digest())),
    close: () => flushContext(transport, key.handle),
  }
}

/** The key as packages/trust signs with it, once a certificate (`chain`, DER, leaf first) gave it an identity. */
export function identified(key: Es256Key, spiffeId: SpiffeId, chain: readonly Buffer[]): SigningKey {
  const leaf = chain[0]
  if (!leaf || !new X509Certificate(leaf).publicKey.equals(key.publicKey)) {
    const remedy = 'have this key certified, or open the key that is'
    throw new TpmError('tpm-key-not-certified', 'the first certificate is another key’s', { remedy, retriable: false })
  }
  const keyId = createHash('sha256').update(leaf).digest('base64url')
  return { keyId, spiffeId, algorithm: 'ES256', chain, sign: (bytes) => key.sign(bytes) }
}
