import type { Grant } from '@interlock/contracts'
import { expect, it } from 'vitest'
import { summaryOfGrants } from './grant-summary.ts'

const laser: Grant = {
  type: 'interlock_device',
  locations: ['laser-1'],
  actions: ['laser.cut'],
  limits: { power: { min: '1', max: '80', unit: 'W' } },
  maxCount: 2,
}
const mail: Grant = {
  type: 'interlock_tool',
  locations: ['mail'],
  actions: ['send'],
  limits: { to: { values: ['alice@lab.example', 'Bob <bob@lab.example>'] }, urgent: { values: [false] }, copies: { max: '3' } },
  maxCount: 5,
}

it('says all of a grant in one line, of devices and of tools', () => {
  expect(summaryOfGrants([laser, mail])).toBe(
    'laser.cut on laser-1: power 1 to 80 W; at most 2 commands\n' +
      'call send of mail: to one of "alice@lab.example", "Bob <bob@lab.example>", urgent only false, copies up to 3; at most 5 calls',
  )
  expect(summaryOfGrants([{ ...mail, limits: {} }])).toBe('call send of mail: with any arguments; at most 5 calls')
})

it.each([
  ['a line of its own', 'x\nlaser.cut on laser-1', '"x\\nlaser.cut on laser-1"'],
  ['the end of its words', 'x; at most 1 calls', '"x; at most 1 calls"'],
  ['another name', 'alice", "bob', String.raw`"alice\", \"bob"`],
  ['words that run backwards', 'a\u202eb', '"a\\u{202e}b"'],
])('shows a name that would look like %s as what it is', (_what, name, shown) => {
  expect(summaryOfGrants([{ ...mail, limits: { to: { values: [name] } } }])).toContain(`to only ${shown};`)
  expect(summaryOfGrants([{ ...laser, locations: [name] }])).toContain(`on ${shown}:`)
})
