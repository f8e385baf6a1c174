import { globSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

/** The numbers of the attack catalogue, by part, that this project claims to stand. Parts that are not here are not claimed whole; numbers that are missing in between do not exist. */
const claimed: Readonly<Record<string, readonly number[]>> = {
  '1 X.509 and SPIFFE': [1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14, 16, 17, 18, 19, 21, 22],
  '2 TPM and proof of possession': [23, 24, 26, 27, 28, 29, 31, 32, 33, 34, 36, 37, 38, 39],
  '3 delegation': [41, 42, 43, 44, 46, 47, 48, 49, 51, 52, 53, 54, 56, 57, 58, 59],
  '4 semantic bounds': [61, 62, 63, 64, 66, 67, 68, 69, 71, 72, 73, 74, 76, 77, 78],
  '6 dispatch and acks': [91, 92, 93, 94, 96, 97, 98, 99, 101, 102],
  '7 Kafka, Avro, wire': [103, 104, 106, 107, 108, 109, 111, 112, 113, 114, 116, 117, 118, 119],
  '8 token service': [121, 122, 123, 124, 126, 127, 128, 129],
  '9 registry and authority': [131, 132, 133, 134, 136],
}

/** A test's title names the attack: `attack 42: with padding`, `(attacks 23 and 24)`. */
const titles = /['"`].*?\battacks? \d/i
const numbers = /\battacks? (\d+(?:(?:, | and )\d+)*)/gi

function named(): Set<number> {
  const root = new URL('..', import.meta.url).pathname
  const files = globSync('{packages,services,test,ops}/**/*.test.ts', {
    cwd: root,
    exclude: (name) => name.includes('node_modules'),
  })
  const lines = files
    .filter((file) => file !== 'test/attacks.test.ts')
    .flatMap((file) => readFileSync(`${root}/${file}`, 'utf8').split('\n'))
    .filter((line) => titles.test(line) && !line.trimStart().startsWith('//'))
  return new Set(
    lines.flatMap((line) => [...line.matchAll(numbers)]).flatMap(([, found = '']) => found.split(/, | and /).map(Number)),
  )
}

const found = named()

it.each(Object.entries(claimed))('every attack of part %s is in the title of a test', (_part, wanted) => {
  expect(wanted.filter((number) => !found.has(number))).toEqual([])
})
