import type { KeyObject } from 'node:crypto'
import { accepted, type Result, refused } from '@interlock/contracts'
import { type AttributeRule, firstBrokenAttribute } from '../structures/object-attributes.ts'
import type { SymmetricScheme } from '../structures/public-area.ts'
import { type PublicArea, parsePublicArea, publicKeyOf } from '../structures/public-area.ts'

/** A restricted decryption key opens a credential only for the name it was made for; any other key would open it for anybody. */
const endorsementKeyRule: AttributeRule = {
  set: ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'restricted', 'decrypt'],
  clear: ['sign', 'stClear', 'encryptedDuplication'],
}

export type EndorsementKeyArea = { readonly area: PublicArea; readonly key: KeyObject; readonly symmetric: SymmetricScheme }

/** Reads a TPMT_PUBLIC that is to be an endorsement key. That it is one, its certificate says (`verifyEndorsement`). */
export function readEndorsementKey(bytes: Uint8Array): Result<EndorsementKeyArea, 'public-area-malformed' | 'endorsement-key'> {
  const parsed = parsePublicArea(bytes)
  if (!parsed.ok) return parsed
  const area = parsed.value
  const broken = firstBrokenAttribute(area.attributes, endorsementKeyRule)
  if (broken) return refused('endorsement-key', { attribute: broken })
  if (!area.symmetric || area.scheme) return refused('endorsement-key', { because: 'no storage key' })
  if (area.type === 'rsa' && area.modulus.length < 256) return refused('endorsement-key', { bits: area.modulus.length * 8 })
  const key = publicKeyOf(area)
  if (!key) return refused('endorsement-key', { because: 'no point on the curve' })
  return accepted({ area, key, symmetric: area.symmetric })
}
