import { axisBits, letterName } from './axes.ts'
import { limits } from './limits-of-work.ts'
import { refuse } from './refusal.ts'

/** One line as read. The same object is filled again for each line: millions of them must not be millions of objects. */
export class Block {
  readonly values = new Float64Array(26)
  /** Bit per letter that has a number. */
  present = 0
  /** Bit per letter that stands without a number (Marlin's `G28 X`): its value is 0. */
  flags = 0
  /** G and M codes times ten. */
  readonly gCodes = new Int16Array(limits.codesPerBlockMax)
  gCount = 0
  readonly mCodes = new Int16Array(limits.codesPerBlockMax)
  mCount = 0
  isPercent = false
  /** The name of an O-word: the block is then a line of flow. */
  oName: string | undefined

  clear(): void {
    this.present = 0
    this.flags = 0
    this.gCount = 0
    this.mCount = 0
    this.isPercent = false
    this.oName = undefined
  }

  has(letter: number): boolean {
    return (this.present & (1 << letter)) !== 0
  }

  get movesAxes(): boolean {
    return (this.present & axisBits) !== 0
  }

  value(letter: number): number | undefined {
    return this.has(letter) ? (this.values[letter] as number) : undefined
  }

  /** @throws Refusal word-missing */
  wanted(letter: number): number {
    return this.has(letter) ? (this.values[letter] as number) : refuse('word-missing', { word: letterName(letter) })
  }

  enter(letter: number, value: number): void {
    if (this.has(letter)) refuse('word-repeated', { word: letterName(letter) })
    this.present |= 1 << letter
    this.values[letter] = value
  }

  enterCode(isG: boolean, value: number): void {
    const code = Math.round(value * 10)
    if (code < 0 || code > 9_999 || Math.abs(value * 10 - code) > 1e-9)
      refuse('code-forbidden', { code: `${isG ? 'G' : 'M'}${value}` })
    if ((isG ? this.gCount : this.mCount) >= limits.codesPerBlockMax)
      refuse('modal-conflict', { codesMax: limits.codesPerBlockMax })
    if (isG) this.gCodes[this.gCount++] = code
    else this.mCodes[this.mCount++] = code
  }
}

/** `G92.1` of 921. */
export const codeName = (kind: 'G' | 'M', code: number): string =>
  code % 10 === 0 ? `${kind}${code / 10}` : `${kind}${Math.floor(code / 10)}.${code % 10}`
