import { expect, test } from 'vitest'
import { Flow } from './flow.ts'

function tried() {
  const done: string[] = []
  const flow = new Flow(
    (topic) => done.push(`pause ${topic}`),
    (topic) => done.push(`resume ${topic}`),
  )
  return { flow, done }
}

test('holds a topic back when too many records wait, once, and lets it flow when half is worked off', () => {
  const { flow, done } = tried()
  flow.arrived('intents', 1000, 10)
  expect(done).toEqual([])
  flow.arrived('intents', 1, 10)
  flow.arrived('intents', 50, 10)
  expect(done).toEqual(['pause intents'])
  flow.done('intents', 500, 10)
  expect(done).toEqual(['pause intents'])
  flow.done('intents', 51, 10)
  expect(done).toEqual(['pause intents', 'resume intents'])
})

test('counts bytes too, and each topic by itself', () => {
  const { flow, done } = tried()
  flow.arrived('intents', 3, 4_194_305)
  flow.arrived('approvals', 3, 100)
  expect(done).toEqual(['pause intents'])
  flow.done('intents', 3, 4_194_305)
  expect(done).toEqual(['pause intents', 'resume intents'])
})
