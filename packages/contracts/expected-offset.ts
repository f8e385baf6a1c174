type Headers = Readonly<Record<string, unknown>>

const header = 'interlock-offset'

/** What a stage sends with an answer: the offset at which it must come to lie for all before it to have been known. */
export const writeExpectedOffset = (offset: number | undefined): Record<string, string> =>
  offset === undefined ? {} : { [header]: String(offset) }

/** Undefined where nothing was said; not a number where what was said is none, so that it equals no offset. */
export function readExpectedOffset(headers: Headers | undefined): number | undefined {
  const said = headers?.[header]
  if (said === undefined) return undefined
  const text = typeof said === 'string' ? said : Buffer.isBuffer(said) ? said.toString('latin1') : ''
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
}

/**
 * Whether an answer lies where its writer expected it. Only then was all that lies before it in the writer's memory; an answer that
 * came late (a zombie's), twice, or after somebody else's counts nowhere, and its input is answered anew. Kafka has no
 * compare-and-append: the writer appends, and every reader compares.
 */
export const isInPlace = (offset: number, expectedOffset: number | undefined): boolean =>
  expectedOffset === undefined || expectedOffset === offset
