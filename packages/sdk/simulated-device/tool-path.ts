/** How much a machine moves for a program: enough to simulate time and report travel, not a judgement of what is safe. */
export function traceProgram(text: string): { blocks: number; travelMm: number } {
  const position = { X: 0, Y: 0, Z: 0 }
  let isAbsolute = true
  let mmPerUnit = 1
  let blocks = 0
  let travelMm = 0
  for (const line of text.split('\n').slice(0, LINES_MAX)) {
    const words = [
      ...line
        .replace(/\([^)]*\)|;.*/g, '')
        .toUpperCase()
        .matchAll(/([A-Z])\s*([-+]?\d*\.?\d+)/g),
    ]
    if (words.length === 0) continue
    blocks++
    const before = { ...position }
    for (const [, letter, number] of words) {
      const value = Number(number)
      if (letter === 'G' && value === 90) isAbsolute = true
      if (letter === 'G' && value === 91) isAbsolute = false
      if (letter === 'G' && (value === 20 || value === 21)) mmPerUnit = value === 20 ? 25.4 : 1
      if (letter === 'X' || letter === 'Y' || letter === 'Z') {
        position[letter] = value * mmPerUnit + (isAbsolute ? 0 : before[letter])
      }
    }
    travelMm += Math.hypot(position.X - before.X, position.Y - before.Y, position.Z - before.Z)
  }
  return { blocks, travelMm }
}

const LINES_MAX = 100_000
