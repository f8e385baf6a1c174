/** What a byte is to the reader. A table, since every byte of 50 MB is looked at once. */
export const kinds = {
  refused: 0,
  space: 1,
  lineEnd: 2,
  letter: 3,
  digit: 4,
  point: 5,
  sign: 6,
  other: 7,
  /** A byte beyond ASCII: text of a comment, nothing else. */
  beyond: 8,
} as const

export const kindOf = new Uint8Array(256)
for (let byte = 33; byte < 127; byte += 1) kindOf[byte] = kinds.other
for (let byte = 128; byte < 256; byte += 1) kindOf[byte] = kinds.beyond
for (let byte = 48; byte < 58; byte += 1) kindOf[byte] = kinds.digit
for (let byte = 65; byte < 91; byte += 1) {
  kindOf[byte] = kinds.letter
  kindOf[byte + 32] = kinds.letter
}
kindOf[9] = kinds.space
kindOf[32] = kinds.space
// A carriage return is passed over before a line feed only (cursor.ts): alone it ends a line for some controllers and none for others.
kindOf[10] = kinds.lineEnd
kindOf[46] = kinds.point
kindOf[43] = kinds.sign
kindOf[45] = kinds.sign

export const byte = (character: string): number => character.charCodeAt(0)
