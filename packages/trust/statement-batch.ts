import { accepted, type Result, refused, type SignedStatement } from '@interlock/contracts'
import { inclusionPaths, leafHash, rootFromPath } from './merkle.ts'
import { type SigningKey, verifySignature } from './signing-key.ts'
import type { Signer, TrustAnchors } from './trust-anchors.ts'

export type StatementReason = 'unknown-key' | 'bad-path' | 'bad-signature'

const context = Buffer.from('interlock-batch-v1\0', 'latin1')

/** What is signed of a batch: its size and root, with a context so that no other signature of the key can stand for it. */
function batchMessage(treeSize: number, root: Uint8Array): Buffer {
  const size = Buffer.alloc(8)
  size.writeBigUInt64BE(BigInt(treeSize))
  return Buffer.concat([context, size, root])
}

/** Signs statements together: one signature over the root of their tree, an inclusion path for each. */
export async function signStatements(statements: readonly Buffer[], key: SigningKey): Promise<SignedStatement[]> {
  if (statements.length === 0) return []
  const { root, paths } = inclusionPaths(statements.map(leafHash))
  const treeSize = statements.length
  const signature = await key.sign(batchMessage(treeSize, root))
  return statements.map((statement, leafIndex) => ({
    statement,
    keyId: key.keyId,
    signature,
    treeSize,
    leafIndex,
    path: paths[leafIndex] as Buffer[],
  }))
}

/** Roots whose signature was verified, newest kept. Bounded, so that a sender of many roots costs time, not memory. */
export class VerifiedRoots {
  readonly #roots = new Set<string>()
  readonly #sizeMax: number

  constructor(sizeMax = 4096) {
    this.#sizeMax = sizeMax
  }

  has(key: string): boolean {
    return this.#roots.has(key)
  }

  add(key: string): void {
    this.#roots.add(key)
    if (this.#roots.size > this.#sizeMax) this.#roots.delete(this.#roots.values().next().value as string)
  }
}

/** Who signed the statement: the path must lead to a root that a signer of the bundle signed. What the signer may say is for the caller. */
export function verifySignedStatement(
  signed: SignedStatement,
  anchors: TrustAnchors,
  cache: VerifiedRoots,
): Result<Signer, StatementReason> {
  const signer = anchors.signer(signed.keyId)
  if (!signer) return refused('unknown-key', { keyId: signed.keyId.slice(0, 64) })
  const root =
    signed.path.length > 32 ? undefined : rootFromPath(leafHash(signed.statement), signed.leafIndex, signed.treeSize, signed.path)
  if (!root) return refused('bad-path', { keyId: signed.keyId })
  const message = batchMessage(signed.treeSize, root)
  // The whole triple is the key: a cached root says nothing of another signature over it.
  const cacheKey = `${signed.keyId}:${message.toString('latin1')}:${signed.signature.toString('latin1')}`
  if (cache.has(cacheKey)) return accepted(signer)
  if (!verifySignature(signer.publicKey, message, signed.signature)) return refused('bad-signature', { keyId: signed.keyId })
  cache.add(cacheKey)
  return accepted(signer)
}
