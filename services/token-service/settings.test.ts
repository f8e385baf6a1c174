import { SettingsError } from '@interlock/enforcer'
import { describe, expect, it } from 'vitest'
import { parseTokenSettings } from './settings.ts'

const files = { INTERLOCK_TLS_KEY: 'key.pem', INTERLOCK_TLS_CERTIFICATE: 'chain.pem' }

describe('settings', () => {
  it('are few: an address, and none for mutual TLS', () =>
    expect(parseTokenSettings({})).toEqual({
      issuer: undefined,
      host: '127.0.0.1',
      port: 0,
      mtls: undefined,
      signalReceivers: undefined,
    }))

  it('of mutual TLS are a port, an address and a certificate', () => {
    const { mtls } = parseTokenSettings({
      INTERLOCK_MTLS_PORT: '8443',
      INTERLOCK_MTLS_URL: 'https://mtls.lab.example/',
      ...files,
    })
    expect(mtls).toEqual({ port: 8443, url: 'https://mtls.lab.example', key: 'key.pem', certificate: 'chain.pem' })
  })

  it.each([
    ['mutual TLS without a certificate', { INTERLOCK_MTLS_PORT: '8443' }],
    ['mutual TLS at an address without TLS', { INTERLOCK_MTLS_PORT: '1', INTERLOCK_MTLS_URL: 'http://lab.example', ...files }],
    ['an issuer with a query', { INTERLOCK_ISSUER: 'https://lab.example/?a=b' }],
    ['an issuer that is no address', { INTERLOCK_ISSUER: 'lab' }],
  ])('that cannot be meant stop the start: %s', (_what, environment) =>
    expect(() => parseTokenSettings(environment)).toThrow(SettingsError))
})
