import { createHash, createPublicKey } from 'node:crypto'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Es256Key } from './signing-key.ts'
import { resourceManagerPath } from './transport/device-transport.ts'

/** A key outside the TPM as node-tpm2 keeps it: TPM2B_PUBLIC and TPM2B_PRIVATE, useless to any other TPM. */
export type NodeTpm2Blob = { readonly public: Buffer; readonly private: Buffer }

/** What is used of node-tpm2's native part. Its attestation keys are not: they are unrestricted (docs/decisions/0003-node-tpm2.md). */
export type NodeTpm2 = {
  createKey(options: { keyType: 'ecc'; sign: true }): Promise<{ keyBlob: NodeTpm2Blob }>
  keyBlobPublicDer(blob: NodeTpm2Blob): Promise<Buffer>
  signKeyBlob(request: { keyBlob: NodeTpm2Blob; digest: Buffer }): Promise<Buffer>
}

export type NodeTpm2Key = Es256Key & { readonly blob: NodeTpm2Blob }

/** The native part, where it is installed and there is a TPM for it to open; it knows one path only. */
export function findNodeTpm2(path: string = resourceManagerPath): NodeTpm2 | undefined {
  if (!existsSync(path)) return undefined
  try {
    return createRequire(import.meta.url)('node-tpm2-linux-x64-gnu') as NodeTpm2
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/** A signing key through node-tpm2: the stored one, or a new one whose `blob` the caller stores. */
export async function openNodeTpm2Key(native: NodeTpm2, stored?: NodeTpm2Blob): Promise<NodeTpm2Key> {
  const blob = stored ?? (await native.createKey({ keyType: 'ecc', sign: true })).keyBlob
  const publicKey = createPublicKey({ key: await native.keyBlobPublicDer(blob), format: 'der', type: 'spki' })
  return {
    blob,
    publicKey,
    sign: (bytes) => native.signKeyBlob({ keyBlob: blob, digest: createHash('sha256').update(bytes).digest() }),
  }
}
