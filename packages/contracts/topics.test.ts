import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { stageNames } from './ids.ts'
import { parseTopology, readTopology } from './topics.ts'

const topic = (key: string, partitions: number) =>
  `{ record: Intent, key: ${key}, partitions: ${partitions}, retention: 7d, writers: [a], readers: [b] }`
const file = (topics: string) => `defaults: { replicationFactor: 1, maxMessageBytes: 1048576 }\ntopics:\n${topics}`

test('topics.yaml names a record that has a schema for every topic', () => {
  const schemas = readdirSync(new URL('../../schemas/', import.meta.url)).map((name) => name.replace('.avsc', ''))
  const topology = readTopology()
  expect(topology.topics.size).toBe(21)
  for (const declaration of topology.topics.values()) expect(schemas).toContain(declaration.record)
})

test('every stage has a decisions topic that the stage itself reads back', () => {
  const { topics } = readTopology()
  for (const stage of stageNames) {
    expect(topics.get(`decisions.${stage}`)).toMatchObject({ record: 'Decision', key: 'job', writers: [stage] })
    expect(topics.get(`decisions.${stage}`)?.readers).toContain(stage)
  }
})

test('refuses job-keyed topics whose numbers of partitions differ, since replay and budgets would meet in two places', () => {
  expect(() => parseTopology(file(`  a: ${topic('job', 6)}\n  b: ${topic('job', 5)}`))).toThrow(
    /same number of partitions, found 6, 5/,
  )
  expect(parseTopology(file(`  a: ${topic('job', 6)}\n  b: ${topic('device', 5)}`)).topics.size).toBe(2)
})

test('refuses a topic declared twice and a member nobody knows', () => {
  expect(() => parseTopology(file(`  a: ${topic('job', 6)}\n  a: ${topic('job', 6)}`))).toThrow(/unique/)
  expect(() =>
    parseTopology(file(`  a: { record: Intent, key: job, partitions: 6, retention: 7d, writers: [a], readers: [b], retain: 1 }`)),
  ).toThrow()
})
