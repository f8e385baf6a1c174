import { expect, test } from 'vitest'
import { parseSettings, SettingsError } from './settings.ts'

const whole = {
  INTERLOCK_KAFKA: 'broker:9092',
  INTERLOCK_REGISTRY: 'http://registry:8081',
  INTERLOCK_TRUST_BUNDLE: '/trust.json',
}

test('takes any free port of loopback, and says what is worth saying, where nothing else is asked', () => {
  expect(parseSettings(whole)).toEqual({
    kafka: ['broker:9092'],
    registry: 'http://registry:8081',
    trustBundle: '/trust.json',
    key: undefined,
    certificate: undefined,
    httpHost: '127.0.0.1',
    httpPort: 0,
    clickhouse: undefined,
    log: 'info',
  })
  expect(parseSettings({ ...whole, INTERLOCK_KAFKA: 'one:1,two:2' }).kafka).toEqual(['one:1', 'two:2'])
})

test.each(Object.keys(whole))('names %s where it is missing', (name) => {
  expect(() => parseSettings({ ...whole, [name]: undefined })).toThrow(SettingsError)
  expect(() => parseSettings({ ...whole, [name]: undefined })).toThrow(name)
})

test('names all that is missing at once', () => {
  expect(() => parseSettings({})).toThrow(/INTERLOCK_KAFKA[\s\S]*INTERLOCK_REGISTRY[\s\S]*INTERLOCK_TRUST_BUNDLE/)
})

test.each([
  ['INTERLOCK_KAFKA', 'broker'],
  ['INTERLOCK_KAFKA', 'broker:9092,'],
  ['INTERLOCK_REGISTRY', 'registry'],
  ['INTERLOCK_HTTP_PORT', '70000'],
  ['INTERLOCK_HTTP_PORT', 'http'],
  ['INTERLOCK_LOG', 'loud'],
  ['INTERLOCK_CLICKHOUSE', 'here'],
])('refuses %s=%s by its name', (name, value) => {
  expect(() => parseSettings({ ...whole, [name]: value })).toThrow(name)
})
