import { createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Certificate, readCertificate, validateSvid } from '@interlock/trust'
import { bundles, federated, jwtSvids } from './spire-federation.ts'
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
  const chainOf = (name: string) => certificates(join(folder, name, 'svid.pem'))
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const judged = names.flatMap(({ name }) => {
    const chain = chainOf(name)
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
    const isOwnKey = leaf.checkPrivateKey(createPrivateKey(readFileSync(join(folder, name, 'key.pem'))))
    const ownBundle = certificates(join(folder, name, 'bundle.pem')).map((der) => der.toString('hex'))
    const isOwnBundle =
      ownBundle.join() ===
      rootsOf(own)
        .map(({ der }) => der.toString('hex'))
        .join()
    cases.push(['its key', isOwnKey ? id : 'another key', (found) => found === id])
    cases.push(['its bundle', isOwnBundle ? id : 'another bundle', (found) => found === id])
    return cases.map(([when, found, isRight]): [string, Judgement] => [
      `${name} ${when}`,
      isRight(found) ? { kind: 'passed' } : { kind: 'failed', why: `found ${found}` },
    ])
  })
  return report('spire svids', [
    ...judged,
    ...bundles(folder, rootsOf),
    ...federated(folder, chainOf, rootsOf),
    ...jwtSvids(folder, rootsOf),
  ])
}
