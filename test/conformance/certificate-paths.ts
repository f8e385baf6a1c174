import { X509Certificate } from 'node:crypto'
import { type Certificate, type RevocationList, readCertificate, readRevocationList, validatePath } from '@interlock/trust'
import { type Judgement, report, type SuiteReport, vectorFile } from './suite.ts'

const ders = (texts: readonly string[]) => texts.map((text) => Buffer.from(text, 'base64'))
const fromPem = (pem: string) => Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64')
const certificates = (list: readonly Buffer[]): Certificate[] =>
  list.flatMap((der) => {
    const read = readCertificate(der)
    return read.ok ? [read.value] : []
  })
const lists = (all: readonly Buffer[]): RevocationList[] => all.flatMap((der) => readRevocationList(der) ?? [])

/** Refusing what must be refused passes; refusing what is valid is left out with our reason code; accepting what must fail is a bug. */
function judge(expected: boolean, result: ReturnType<typeof validatePath>): Judgement {
  if (result.ok === expected) return { kind: 'passed' }
  if (result.ok) return { kind: 'failed', why: 'accepted a path that must fail' }
  return { kind: 'left out', why: `valid, refused on purpose: ${result.reason}${cause(result.detail)}` }
}
const cause = (detail: Readonly<Record<string, unknown>>) => (typeof detail.cause === 'string' ? ` (${detail.cause})` : '')

type Pkits = {
  tests: { number: string; certs: string[]; crls: string[]; expected: boolean; calls: unknown[] }[]
  certs: Record<string, string>
  crls: Record<string, string>
}

/** NIST PKITS: chains are given root first. Its policy inputs are not supported: any policy extension that matters is refused. */
export function pkits(folder: string): SuiteReport | undefined {
  const file = vectorFile(folder, 'pkits', 'pkits.json') as Pkits | undefined
  if (!file) return undefined
  // The certificates of PKITS are valid from 2010 to 2030.
  const now = Date.UTC(2020, 0, 1)
  return report(
    'pkits',
    file.tests.map(({ number, certs, crls, expected, calls }): [string, Judgement] => {
      const [root, ...rest] = ders(certs.map((name) => file.certs[name] as string))
      const chain = rest.reverse()
      const result = validatePath({
        chain,
        now,
        skewMs: 0,
        requireRevocationStatus: true,
        roots: certificates([root as Buffer]),
        revocationLists: lists(ders(crls.map((name) => file.crls[name] as string))),
      })
      if (result.ok && !expected && calls.length > 0)
        return [number, { kind: 'left out', why: 'must fail only under certificate policy inputs, which no SVID has' }]
      return [number, judge(expected, result)]
    }),
  )
}

type Limbo = {
  testcases: {
    id: string
    features: string[]
    validation_kind: string
    trusted_certs: string[]
    untrusted_intermediates: string[]
    peer_certificate: string
    crls?: string[]
    validation_time: string | null
    expected_result: string
    expected_peer_name: { kind: string } | null
  }[]
}

// Rules that limbo asks of a TLS client and that say nothing of a path: who is meant is judged by SPIFFE ID here, never by DNS name.
const tlsOnly = /^(webpki::(san|cn|eku|aki::root-)|rfc5280::(san|eku))/

/** x509-limbo's own cases. Intermediates are put in order first, since a chain here is given in order. */
export function limbo(folder: string): SuiteReport | undefined {
  const file = vectorFile(folder, 'limbo', 'limbo-own-208.json') as Limbo | undefined
  if (!file) return undefined
  return report(
    'limbo',
    file.testcases.map((given): [string, Judgement] => {
      if (given.features.includes('max-chain-depth'))
        return [given.id, { kind: 'left out', why: 'a depth the caller chooses: ours is fixed at five certificates' }]
      const chain = ordered(fromPem(given.peer_certificate), given.untrusted_intermediates.map(fromPem))
      const crls = (given.crls ?? []).map(fromPem)
      const result = validatePath({
        chain,
        now: given.validation_time ? Date.parse(given.validation_time) : Date.now(),
        skewMs: 0,
        requireRevocationStatus: crls.length > 0,
        roots: certificates(given.trusted_certs.map(fromPem)),
        revocationLists: lists(crls),
      })
      if (result.ok && given.expected_result === 'FAILURE' && tlsOnly.test(given.id))
        return [
          given.id,
          { kind: 'left out', why: 'must fail only by rules for the names and usages of TLS server certificates' },
        ]
      return [given.id, judge(given.expected_result === 'SUCCESS', result)]
    }),
  )
}

/** The chain from the leaf upwards by issuer name, at most ten certificates. */
function ordered(leaf: Buffer, others: readonly Buffer[]): Buffer[] {
  const chain = [leaf]
  const left = [...others]
  try {
    while (chain.length < 10) {
      const tip = new X509Certificate(chain.at(-1) as Buffer)
      const at = left.findIndex((der) => tip.checkIssued(new X509Certificate(der)))
      if (at < 0) break
      chain.push(...left.splice(at, 1))
    }
  } catch {
    // A certificate that OpenSSL cannot read ends the chain here; validatePath says why it is refused.
  }
  return chain
}
