/** True for exactly one SEQUENCE with a definite, minimally written length and nothing behind it (X.690 §10.1). */
export function exactDer(bytes: Uint8Array): boolean {
  const [tag, first] = bytes
  if (tag !== 0x30 || first === undefined) return false
  if (first < 0x80) return bytes.length === 2 + first
  const count = first & 0x7f
  if (count === 0 || count > 3 || bytes.length < 2 + count || bytes[2] === 0) return false
  let length = 0
  for (let at = 0; at < count; at++) length = length * 256 + (bytes[2 + at] as number)
  return length >= 0x80 && bytes.length === 2 + count + length
}
