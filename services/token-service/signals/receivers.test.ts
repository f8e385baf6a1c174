import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isPushUrl, parseReceivers, readReceivers } from './receivers.ts'

const receiver = (change: object = {}) => ({
  id: 'siem',
  audience: 'https://siem.example',
  secretSha256: 'A'.repeat(43),
  delivery: { method: 'poll' },
  ...change,
})
const read = (...receivers: object[]) => parseReceivers(JSON.stringify({ receivers }), (file) => `Bearer of ${file}`)
const push = (url: string) => receiver({ delivery: { method: 'push', url, authorizationFile: '/run/secret' } })

describe('the settings of receivers', () => {
  it('name who is told, of what, and where', () => {
    expect(read(push('https://idp.example/events'))).toMatchObject([
      { id: 'siem', delivery: { method: 'push', url: 'https://idp.example/events', authorization: 'Bearer of /run/secret' } },
    ])
    expect(read(receiver())[0]?.events).toHaveLength(5)
  })

  it.each([
    ['http to another machine', 'http://idp.example/events'],
    ['a private address without TLS', 'http://10.0.0.1/'],
    ['a name that begins like this machine', 'http://127.0.0.1.evil.example/'],
    ['a user in the address', 'https://user:secret@idp.example/'],
    ['another scheme', 'file:///etc/passwd'],
    ['no address', 'idp.example'],
  ])('attack 127: refuse %s', (_what, url) => {
    expect(isPushUrl(url)).toBe(false)
    expect(() => read(push(url))).toThrow('INTERLOCK_SIGNAL_RECEIVERS')
  })

  it.each(['http://127.0.0.1:8080/', 'http://[::1]/', 'http://localhost/', 'https://10.0.0.1/'])('take %s', (url) =>
    expect(isPushUrl(url)).toBe(true))

  it.each<[string, () => unknown]>([
    ['two of one id', () => read(receiver(), receiver())],
    ['more than there may be', () => read(...Array.from({ length: 17 }, (_, at) => receiver({ id: `r${at}` })))],
    ['a member that nobody knows', () => read(receiver({ secret: 'x' }))],
    ['an event that is not told', () => read(receiver({ events: ['x'] }))],
    ['no JSON', () => parseReceivers('{', () => '')],
  ])('refuse %s', (_what, parse) => expect(parse).toThrow('INTERLOCK_SIGNAL_RECEIVERS'))

  it('attack 156: refuse a secret that others may read', () => {
    const folder = mkdtempSync(join(tmpdir(), 'interlock-receivers-'))
    const [file, secret] = [join(folder, 'receivers.json'), join(folder, 'secret')]
    writeFileSync(secret, 'Bearer x\n')
    const delivery = { method: 'push', url: 'https://idp.example/', authorizationFile: secret }
    writeFileSync(file, JSON.stringify({ receivers: [receiver({ delivery })] }))
    chmodSync(secret, 0o644)
    expect(() => readReceivers(file)).toThrow('chmod 600')
    chmodSync(secret, 0o600)
    expect(readReceivers(file)[0]?.delivery).toMatchObject({ authorization: 'Bearer x' })
  })
})
