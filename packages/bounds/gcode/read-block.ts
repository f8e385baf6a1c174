import { accepted, type Result, refused } from '@interlock/contracts'

/** One word of a block: a letter and its number. */
export type Word = { readonly letter: string; readonly value: number }

export type BlockReason =
  | 'line-too-long'
  | 'comment-open'
  | 'block-delete'
  | 'character-unsupported'
  | 'word-unsupported'
  | 'number-malformed'
  | 'number-out-of-range'

const lineMax = 256
const numberPattern = /^[+-]?(?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})/
const letters = new Set('FGIJKMNPRSTXYZ')
/** Millimetres or inches: no machine of ours is a kilometre long, and doubles stay exact enough below. */
const valueMax = 1_000_000

/**
 * Reads one line (RS274/NGC §3.3). Only words with plain numbers: parameters, expressions, O-words and further axes are refused, since what they
 * do is not known here.
 */
export function readBlock(line: string): Result<readonly Word[], BlockReason> {
  if (line.length > lineMax) return refused('line-too-long', { max: lineMax })
  const code = withoutComments(line)
  if (code === undefined) return refused('comment-open')
  let rest = code.toUpperCase().replace(/[ \t\r]/g, '')
  // Whether it is run depends on a switch at the machine.
  if (rest.startsWith('/')) return refused('block-delete')
  const words: Word[] = []
  while (rest !== '') {
    const letter = rest[0] as string
    if (!/[A-Z]/.test(letter)) return refused('character-unsupported', { character: letter })
    if (!letters.has(letter)) return refused('word-unsupported', { word: letter })
    const [text] = numberPattern.exec(rest.slice(1)) ?? []
    if (text === undefined) return refused('number-malformed', { word: letter })
    const value = Number(text)
    if (Math.abs(value) > valueMax && letter !== 'N') return refused('number-out-of-range', { word: letter, value })
    words.push({ letter, value })
    rest = rest.slice(1 + text.length)
  }
  return accepted(words)
}

/** Comments hide nothing: what stands in them is not run, and one that is not closed is refused. */
function withoutComments(line: string): string | undefined {
  let code = ''
  for (let at = 0; at < line.length; at += 1) {
    if (line[at] === ';') return code
    if (line[at] !== '(') {
      code += line[at]
      continue
    }
    at = line.indexOf(')', at)
    if (at < 0) return undefined
  }
  return code
}
