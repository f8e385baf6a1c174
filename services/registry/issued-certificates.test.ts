import fc from 'fast-check'
import { expect, it } from 'vitest'
import { IssuedCertificates } from './issued-certificates.ts'

const now = Date.UTC(2026, 10, 24, 12)
const certificate = (serial: string) => ({
  ...{ serial, subject: `spiffe://lab.example/agent/a/${serial}`, thumbprint: serial, authority: 'one', definitionHash: '' },
  notAfterMs: now + 3_600_000,
})

it('attack 134: of many certificates each is asked for itself, and those that fell are in the list, no other and none left out', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(fc.nat(1e6), fc.boolean()), { selector: ([serial]) => serial, maxLength: 60 }), (all) => {
      const issued = new IssuedCertificates()
      for (const [serial] of all) issued.add(certificate(String(serial)), now)
      const asked: string[] = []
      const fallen = new Set(all.filter(([, isOver]) => isOver).map(([serial]) => String(serial)))
      const isOver = ({ serial }: { serial: string }) => {
        asked.push(serial)
        return fallen.has(serial)
      }
      const listed = issued.revoked('one', isOver, now).map(({ serial }) => serial)
      expect(new Set(listed)).toEqual(fallen)
      expect(listed).toHaveLength(fallen.size)
      expect(asked.toSorted()).toEqual(all.map(([serial]) => String(serial)).toSorted())
    }),
  )
})

it('attack 133: what was once in a list stays in it until it ends, though the tables should let it pass again', () => {
  const issued = new IssuedCertificates()
  issued.add(certificate('1'), now)
  expect(issued.revoked('one', () => true, now)).toEqual([{ serial: '1', from: now }])
  expect(issued.revoked('one', () => false, now + 1000)).toEqual([{ serial: '1', from: now }])
  expect(issued.revoked('one', () => false, now + 3_600_000)).toEqual([])
})
