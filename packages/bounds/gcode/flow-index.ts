import { byte, kindOf, kinds } from './characters.ts'
import { limits } from './limits-of-work.ts'
import { refuse } from './refusal.ts'

type FlowLine = {
  readonly name: string
  readonly keyword: string
  readonly number: number
  /** Where the line begins and where the next one does. */
  readonly start: number
  readonly end: number
  /** The next line of the same name, or -1. */
  nextOfName: number
}

/** Lines with an O-word, in order: all that a jump can go to. Other lines need no index, so memory does not grow with them. */
export type FlowIndex = {
  readonly lines: readonly FlowLine[]
  readonly subprograms: ReadonlyMap<string, number | 'twice'>
  readonly labels: ReadonlyMap<string, number>
  atLine(number: number): number | undefined
}

const pattern = /^\s*\/?\s*(?:N\s*\d+(?:\.\d+)?)?\s*\/?\s*O\s*(?:<([^>]*)>|(\d+)|\[)\s*([A-Z]*)/i

export function indexFlow(bytes: Uint8Array): FlowIndex {
  const lines: FlowLine[] = []
  const last = new Map<string, number>()
  const subprograms = new Map<string, number | 'twice'>()
  const labels = new Map<string, number>()
  const byLine = new Map<number, number>()
  for (const { start, end, number } of linesWithO(bytes)) {
    const text = Buffer.from(bytes.subarray(start, Math.min(end, start + limits.lineMax))).toString('latin1')
    const match = pattern.exec(text)
    if (!match) continue
    const [, named, numbered, keyword = ''] = match
    // The name of `O[…]` is known when it is run; only calls have one.
    const name =
      named !== undefined
        ? `<${named.replace(/\s/g, '').toLowerCase()}>`
        : numbered === undefined
          ? '['
          : String(Number(numbered))
    const at = lines.length
    if (at >= limits.flowLinesMax) refuse('program-too-large', { flowLinesMax: limits.flowLinesMax })
    lines.push({ name, keyword: keyword.toUpperCase(), number, start, end, nextOfName: -1 })
    byLine.set(number, at)
    const before = lines[last.get(name) ?? -1]
    if (before) before.nextOfName = at
    last.set(name, at)
    if (keyword.toUpperCase() === 'SUB') subprograms.set(name, subprograms.has(name) ? 'twice' : at)
    if (keyword === '' && numbered !== undefined && !labels.has(name)) labels.set(name, at)
  }
  return { lines, subprograms, labels, atLine: (number) => byLine.get(number) }
}

/** Lines whose first letter but for a line number is O. */
function* linesWithO(bytes: Uint8Array): Generator<{ start: number; end: number; number: number }> {
  let start = 0
  for (let number = 1; start < bytes.length; number += 1) {
    let end = bytes.indexOf(10, start)
    end = end < 0 ? bytes.length : end + 1
    let at = start
    for (; at < end; at += 1) {
      const next = bytes[at] as number
      if (kindOf[next] !== kinds.space && next !== byte('/')) break
    }
    const first = ((bytes[at] ?? 0) & 0xdf) as number
    if (first === byte('O') || first === byte('N')) yield { start, end, number }
    start = end
  }
}
