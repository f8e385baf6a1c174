import { expect, test } from 'vitest'
import { commandSchema, quantitySchema } from './command.ts'
import { taskTokenClaimsSchema } from './grant.ts'

const command = { device: 'laser-1', capability: 'laser.cut', parameters: { power: { value: '60', unit: 'W' } } }

test('reads a command', () => {
  expect(commandSchema.parse(command)).toEqual(command)
})

test.each([
  ['an unknown member', { ...command, override: true }],
  ['a device that is no plain name', { ...command, device: '../laser' }],
  ['a missing capability', { device: 'laser-1', parameters: {} }],
  ['a program without its digest', { ...command, program: { mediaType: 'text/x-gcode', bytes: 4 } }],
  [
    'a program larger than 50 MiB',
    { ...command, program: { mediaType: 'text/x-gcode', sha256: 'A'.repeat(43), bytes: 52_428_801 } },
  ],
])('refuses a command with %s', (_, value) => {
  expect(commandSchema.safeParse(value).success).toBe(false)
})

test.each([
  60,
  null,
  true,
  ['60'],
  { a: 1 },
])('refuses %j as the value of a quantity: only text keeps every digit (ATTACKS 61, 62)', (value) => {
  expect(quantitySchema.safeParse({ value, unit: 'W' }).success).toBe(false)
})

test('a task token without the certificate it is bound to is none', () => {
  const claims = {
    iss: 'spiffe://lab.interlock.example/service/token',
    sub: 'alice',
    aud: 'a',
    iat: 1,
    exp: 2,
    jti: '0123456789abcdef',
    job: 'j',
    act: { sub: 'spiffe://lab.interlock.example/agent/a/b' },
    cnf: { 'x5t#S256': 'A'.repeat(43) },
    authorization_details: [
      { type: 'interlock_device', locations: ['laser-1'], actions: ['laser.cut'], limits: {}, maxCount: 1 },
    ],
  }
  expect(taskTokenClaimsSchema.safeParse(claims).success).toBe(true)
  const { cnf: _, ...unbound } = claims
  expect(taskTokenClaimsSchema.safeParse(unbound).success).toBe(false)
})
