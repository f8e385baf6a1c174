/** TPMA_OBJECT (TPM 2.0 part 2, 8.3): the bits that say what a key may do and where it came from. */
export const objectAttribute = {
  fixedTPM: 1 << 1,
  stClear: 1 << 2,
  fixedParent: 1 << 4,
  sensitiveDataOrigin: 1 << 5,
  userWithAuth: 1 << 6,
  adminWithPolicy: 1 << 7,
  noDA: 1 << 10,
  encryptedDuplication: 1 << 11,
  restricted: 1 << 16,
  decrypt: 1 << 17,
  sign: 1 << 18,
  x509sign: 1 << 19,
} as const
export type ObjectAttribute = keyof typeof objectAttribute

export type AttributeRule = { readonly set: readonly ObjectAttribute[]; readonly clear: readonly ObjectAttribute[] }

/** The first attribute that is not as the rule has it, as a word for the refusal's detail. */
export function firstBrokenAttribute(attributes: number, rule: AttributeRule): string | undefined {
  const missing = rule.set.find((name) => (attributes & objectAttribute[name]) === 0)
  if (missing) return `${missing} is clear`
  const present = rule.clear.find((name) => (attributes & objectAttribute[name]) !== 0)
  return present && `${present} is set`
}

export function attributesOf(...names: ObjectAttribute[]): number {
  return names.reduce((bits, name) => bits | objectAttribute[name], 0)
}
