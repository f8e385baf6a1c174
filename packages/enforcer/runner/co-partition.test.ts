import { readTopology } from '@interlock/contracts'
import { expect, test } from 'vitest'
import type { Processor } from '../processor.ts'
import { topicRoles } from './co-partition.ts'

const topology = readTopology()
const processor = (parts: Partial<Processor<unknown>>): Processor<unknown> => ({
  name: 'device-dispatch',
  inputs: ['decisions.approval-router'],
  outputs: ['decisions.device-dispatch', 'dispatch'],
  memories: [],
  broadcasts: [],
  tables: [],
  horizonMs: 1000,
  remember: () => undefined,
  observe: () => true,
  react: async () => [],
  forget: () => {},
  ...parts,
})

test('answers are the outputs that lie beside the inputs; orders, keyed by device, are not', () => {
  const roles = topicRoles(processor({}), topology)
  expect(roles.answers).toEqual(['decisions.device-dispatch'])
  expect(roles.joined).toEqual(['decisions.approval-router', 'decisions.device-dispatch'])
})

test.each([
  ['an input that is not in topics.yaml', { inputs: ['wishes'] }, /wishes is not in topics.yaml/],
  ['no input', { inputs: [] }, /no input/],
  ['a memory partitioned otherwise', { memories: ['acks'] }, /acks is not partitioned as/],
  ['two inputs partitioned otherwise', { inputs: ['intents', 'acks'] }, /acks is not partitioned as/],
  ['no way to read its own answers', { outputs: ['dispatch'] }, /cannot read its own answers/],
])('does not start with %s', (_what, parts, why) => {
  expect(() => topicRoles(processor(parts), topology)).toThrow(why)
})
