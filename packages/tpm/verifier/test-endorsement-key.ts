import type { KeyObject } from 'node:crypto'
import { algorithm, curve } from '../structures/algorithms.ts'
import { sized, u16, u32 } from '../structures/bytes.ts'

/** Restricted decryption key, as the templates L-1 and L-2 have it. */
export const endorsementAttributes = 0x0003_00b2
const aes128 = [algorithm.aes, 128, algorithm.cfb]

type AreaOptions = { attributes?: number; symmetric?: number[]; scheme?: number[]; bits?: number }

/** TPMT_PUBLIC of an endorsement key whose private part is in software. */
export function endorsementArea(key: KeyObject, options: AreaOptions = {}): Buffer {
  const { attributes = endorsementAttributes, symmetric = aes128, scheme = [algorithm.null], bits = 2048 } = options
  const { x, y, n } = key.export({ format: 'jwk' })
  const type = n ? algorithm.rsa : algorithm.ecc
  const head = [u16(type), u16(algorithm.sha256), u32(attributes), sized(Buffer.alloc(32)), ...[...symmetric, ...scheme].map(u16)]
  if (n) return Buffer.concat([...head, u16(bits), u32(0), sized(Buffer.from(n, 'base64url'))])
  const point = [sized(Buffer.from(x ?? '', 'base64url')), sized(Buffer.from(y ?? '', 'base64url'))]
  return Buffer.concat([...head, u16(curve.p256), u16(algorithm.null), ...point])
}
