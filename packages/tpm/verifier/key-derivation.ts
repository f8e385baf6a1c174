import { createHash, createHmac } from 'node:crypto'
import { type HashName, hashLength } from '../structures/algorithms.ts'
import { u32 } from '../structures/bytes.ts'

type Derivation = { hash: HashName; label: string; partyU?: Uint8Array; partyV?: Uint8Array; bits: number }

const none = Buffer.alloc(0)

function derived({ hash, bits }: Derivation, block: (counter: Buffer) => Buffer): Buffer {
  const blocks = Math.ceil(bits / 8 / hashLength[hash])
  return Buffer.concat(Array.from({ length: blocks }, (_, index) => block(u32(index + 1)))).subarray(0, bits / 8)
}

/** KDFa (part 1, 11.4.10.2): SP 800-108 in counter mode with HMAC. */
export function kdfa(key: Uint8Array, how: Derivation): Buffer {
  const context = Buffer.concat([Buffer.from(`${how.label}\0`), how.partyU ?? none, how.partyV ?? none, u32(how.bits)])
  return derived(how, (counter) => createHmac(how.hash, key).update(counter).update(context).digest())
}

/** KDFe (part 1, 11.4.10.3): SP 800-56A concatenation over an ECDH secret. */
export function kdfe(secret: Uint8Array, how: Derivation): Buffer {
  const context = Buffer.concat([secret, Buffer.from(`${how.label}\0`), how.partyU ?? none, how.partyV ?? none])
  return derived(how, (counter) => createHash(how.hash).update(counter).update(context).digest())
}
