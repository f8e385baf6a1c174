import { createHash, createPublicKey, type KeyObject, timingSafeEqual, verify } from 'node:crypto'
import { accepted, type Result, refused } from '@interlock/contracts'
import { algorithmOf, type SnpReference, type SnpTcb } from '@interlock/trust'
import { type ChipCertificate, readChipCertificate } from './chip-certificate.ts'
import { verifyChipChain } from './chip-chain.ts'
import { readSnpReport, type SnpReport } from './report.ts'
import type { SnpReason } from './snp-reason.ts'

/** What a guest sends of itself. The sender's word, all of it. */
export type SnpEvidence = {
  readonly kind: 'sev-snp'
  /** ATTESTATION_REPORT, 1184 bytes. */
  readonly report: Buffer
  /** DER: VCEK or VLEK, and its ASK or ASVK. */
  readonly chain: readonly Buffer[]
  /** SubjectPublicKeyInfo of the key that REPORT_DATA binds to the guest, Ed25519 or P-256. */
  readonly key: Buffer
}

export type AgainstSnp = {
  readonly kind: 'sev-snp'
  readonly nonce: Buffer
  readonly reference: SnpReference
  /** AMD's roots (ARK) that policy pins, DER. */
  readonly roots: readonly Buffer[]
  /** Milliseconds since 1970. */
  readonly now: number
}

export type AppraisedSnp = {
  readonly kind: 'sev-snp'
  readonly key: KeyObject
  /** The chip, hex; empty where a fleet's key signed. */
  readonly chipId: string
  readonly tcb: SnpTcb
}

const certificateBytesMax = 8192
const nonceBytesMin = 16
/** Whose security patch levels stand where `SnpTcb` reads them; Turin's stand elsewhere. */
const products = /^(Milan|Genoa)(-|$)/

/** What a guest has the firmware put into its report: this nonce, this key, and for what. 64 bytes. */
export const snpReportData = (nonce: Uint8Array, key: Uint8Array): Buffer =>
  createHash('sha512')
    .update('interlock/sev-snp/appraisal/v1\0')
    .update(createHash('sha256').update(nonce).digest())
    .update(key)
    .digest()

/** A guest's report against reference values. That the nonce is ours and counts once is the caller's to keep. Pure. */
export function verifySnp(evidence: SnpEvidence, against: AgainstSnp): Result<AppraisedSnp, SnpReason> {
  if (against.nonce.length < nonceBytesMin) return refused('nonce-too-short', { bytesMin: nonceBytesMin })
  const key = readKey(evidence.key)
  if (!key) return refused('key-malformed')
  const authentic = authenticSnpReport(evidence, against)
  if (!authentic.ok) return authentic
  const { report, chip } = authentic.value
  if (!timingSafeEqual(report.reportData, snpReportData(against.nonce, evidence.key))) return refused('report-data')
  // From here on it is the guest that speaks, to us and now; what remains is whether it is as it shall be.
  const wrong = wrongState(report, against.reference)
  return wrong
    ? refused(wrong)
    : accepted({ kind: 'sev-snp', key, chipId: chip.hardwareId?.toString('hex') ?? '', tcb: report.reportedTcb })
}

/** A report that a genuine chip signed in the state of its firmware that it claims; nothing is said yet of the guest. */
export function authenticSnpReport(
  { report: bytes, chain }: Pick<SnpEvidence, 'report' | 'chain'>,
  against: Pick<AgainstSnp, 'roots' | 'now'>,
): Result<{ readonly report: SnpReport; readonly chip: ChipCertificate }, SnpReason> {
  const read = readSnpReport(bytes)
  if (!read.ok) return read
  const report = read.value
  if (chain.some(({ length }) => length > certificateBytesMax)) return refused('chip-certificate')
  try {
    const leaf = verifyChipChain(chain, against)
    if (!leaf.ok) return leaf
    const chip = readChipCertificate(leaf.value)
    if (!chip || chip.signer !== report.signer) return refused('chip-certificate')
    const { publicKey } = leaf.value.x509
    if (!verify('sha384', report.signed, { key: publicKey, dsaEncoding: 'ieee-p1363' }, report.signature))
      return refused('report-signature')
    const wrong = wrongChip(report, chip)
    return wrong ? refused(wrong) : accepted({ report, chip })
  } catch {
    // DER that is not DER, or that OpenSSL cannot read: the sender's certificates, either way.
    return refused('chip-certificate')
  }
}

/** The key is derived from chip and patch levels: a report that names others than its certificate was not made by what AMD certified. */
function wrongChip(report: SnpReport, { product, hardwareId, tcb }: ChipCertificate): SnpReason | undefined {
  if (!products.test(product)) return 'chip-product'
  if (hardwareId && (report.isChipMasked || !hardwareId.equals(report.chipId))) return 'chip-identity'
  return levels.some((level) => tcb[level] !== report.reportedTcb[level]) ? 'chip-tcb' : undefined
}

const levels = ['bootLoader', 'tee', 'snp', 'microcode'] as const

function wrongState(report: SnpReport, reference: SnpReference): SnpReason | undefined {
  if (report.isDebugAllowed) return 'debug'
  if (report.isMigrationAllowed) return 'migration'
  if (report.measurement.toString('base64url') !== reference.measurement) return 'measurement'
  if (report.guestSvn < reference.guestSvnMin) return 'guest-svn'
  if (levels.some((level) => report.reportedTcb[level] < reference.tcbMin[level])) return 'tcb-too-low'
  return report.vmpl > reference.vmplMax ? 'vmpl' : undefined
}

function readKey(spki: Buffer): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: spki, type: 'spki', format: 'der' })
    return algorithmOf(key) ? key : undefined
  } catch {
    return undefined
  }
}
