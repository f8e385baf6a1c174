import { createRequire } from 'node:module'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { partitionOf } from './partition.ts'

const murmur2 = createRequire(import.meta.url)('kafkajs/src/producer/partitioners/default/murmur2') as (key: string) => number

test('lays every key into the partition that kafkajs lays it into', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.integer({ min: 1, max: 100 }), (key, partitions) => {
      expect(partitionOf(key, partitions)).toBe((murmur2(key) & 0x7fffffff) % partitions)
    }),
  )
})

test.each([
  ['21', 100, -973932308],
  ['foobar', 100, -790332482],
  ['a-little-bit-long-string', 100, -985981536],
  ['a-little-bit-longer-string', 100, -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', 100, -58897971],
  ['abc', 100, 479470107],
])('agrees with the hash of %s in Kafka’s own test', (key, partitions, hash) => {
  // org.apache.kafka.common.utils.UtilsTest.testMurmur2.
  expect(partitionOf(key, partitions)).toBe((hash & 0x7fffffff) % partitions)
})
