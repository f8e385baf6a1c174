/** Printable ASCII, and the apostrophe of our own words. */
const plain = /^[\x20-\x7e’]$/

/**
 * Others' text as a human may read it: what does not print, runs backwards, breaks the line or could be taken for another letter is shown by its code point
 * (ATTACKS 88). The template escapes the rest.
 */
export const inert = (text: string): string => [...text].map((one) => (plain.test(one) ? one : codePoint(one))).join('')

const codePoint = (one: string) => `⟨U+${(one.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}⟩`
