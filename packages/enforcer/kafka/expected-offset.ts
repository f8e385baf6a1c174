import type { IHeaders } from 'kafkajs'

const header = 'interlock-offset'

export const writeExpectedOffset = (offset: number | undefined): IHeaders =>
  offset === undefined ? {} : { [header]: String(offset) }

/** Undefined where nothing was said; not a number where what was said is none, so that it equals no offset. */
export function readExpectedOffset(headers: IHeaders | undefined): number | undefined {
  const said = headers?.[header]
  if (said === undefined) return undefined
  const text = Array.isArray(said) ? '' : said.toString()
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
}
