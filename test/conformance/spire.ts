import { X509Certificate } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Certificate, readCertificate, validateSvid } from '@interlock/trust'
import { type Judgement, report, type SuiteReport } from './suite.ts'

const skewMs = 30_000

const rootOf = (der: Buffer): Certificate => {
  const read = readCertificate(der)
  if (!read.ok) throw new Error(`a root of the vectors cannot be read: ${read.reason}`)
  return read.value
}

function certificates(file: string): Buffer[] {
  const pem = readFileSync(file, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return pem.map((text) => Buffer.from(new X509Certificate(text).raw))
}

/** SVIDs that a real SPIRE issued: each is good under its own trust domain's bundle while it lasts, and under no other, and not a minute longer. */
export function spire(vectors: string): SuiteReport | undefined {
  const folder = join(vectors, 'spiffe', 'spire-1.16-issued')
  if (!existsSync(folder)) return undefined
  const rootsOf = (trustDomain: string) => certificates(join(folder, `${trustDomain}.bundle.pem`)).map(rootOf)
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const judged = names.flatMap(({ name }) => {
    const chain = certificates(join(folder, name, 'svid.pem'))
    const leaf = new X509Certificate(chain[0] as Buffer)
    const id = /URI:(\S+?)(,|$)/.exec(leaf.subjectAltName ?? '')?.[1] ?? ''
    const own = id.split('/')[2] ?? ''
    const other = own === 'lab.example' ? 'partner.example' : 'lab.example'
    const verdict = (trustDomain: string, roots: Certificate[], now: number) => {
      const anchors = { trustDomain, roots: (asked: string) => (asked === trustDomain ? roots : []), revocationLists: [] }
      const checked = validateSvid(chain, anchors, now, skewMs)
      return checked.ok ? checked.value.spiffeId : checked.reason
    }
    const [from, until] = [leaf.validFromDate.getTime(), leaf.validToDate.getTime()]
    const during = (from + until) / 2
    const cases: [string, string, (found: string) => boolean][] = [
      ['in its time', verdict(own, rootsOf(own), during), (found) => found === id],
      ['before it', verdict(own, rootsOf(own), from - skewMs - 1000), (found) => found === 'certificate-not-yet-valid'],
      ['after it', verdict(own, rootsOf(own), until + skewMs + 1000), (found) => found === 'certificate-expired'],
      ['under the other trust domain', verdict(other, rootsOf(other), during), (found) => found.startsWith('path-')],
      // Its own roots under another domain's name: the name in the certificate decides (ATTACKS 8, 9).
      ['for another trust domain', verdict(other, rootsOf(own), during), (found) => found === 'svid-trust-domain'],
    ]
    return cases.map(([when, found, isRight]): [string, Judgement] => [
      `${name} ${when}`,
      isRight(found) ? { kind: 'passed' } : { kind: 'failed', why: `found ${found}` },
    ])
  })
  const tokens = readdirSync(folder).filter((name) => name.endsWith('.jwt'))
  const leftOut = tokens.map((name): [string, Judgement] => [name, { kind: 'left out', why: 'JWT-SVID: no credential here' }])
  return report('spire svids', [...judged, ...leftOut])
}
