/** JSON text without duplicate members: JSON.parse keeps the last one, other readers the first (ATTACKS 54). Undefined for any other bytes. */
export function strictJson(bytes: Buffer): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    let depth = 0
    for (const byte of bytes) if ((byte === 0x7b || byte === 0x5b) && ++depth > 512) return undefined
    const value: unknown = JSON.parse(text)
    return countMembers(value) === countColons(text) ? value : undefined
  } catch {
    return undefined
  }
}

/** Members that survived parsing; a duplicate is one fewer than there are colons outside strings. */
function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const inner = Object.values(value).reduce<number>((sum, member) => sum + countMembers(member), 0)
  return Array.isArray(value) ? inner : inner + Object.keys(value).length
}

function countColons(text: string): number {
  return text.replace(/"(?:[^"\\]|\\.)*"/g, '').split(':').length - 1
}
