import type { KeyObject } from 'node:crypto'
import { accepted, type Result, refused } from '@interlock/contracts'
import {
  judgeBoot,
  type PcrValues,
  type PreviousCounters,
  parsePublicArea,
  pcrDigestOf,
  publicKeyOf,
  replayEventLog,
  type TpmReason,
  type VerifiedQuote,
  verifyCertify,
  verifyQuote,
} from '@interlock/tpm'
import type { PlatformReference } from '@interlock/trust'

export type Attested = { readonly attest: Buffer; readonly signature: Buffer }

/** What a platform sends of its TPM: a quote, and for an agent the certified key that its certificate is to be for. Both over the nonce. */
export type TpmEvidence = {
  readonly kind: 'tpm'
  readonly quote: Attested
  readonly key?: Attested & { readonly publicArea: Buffer }
  /** What was measured into the quoted PCRs, and their values in the order of the reference: where the reference asks for it. */
  readonly boot?: { readonly eventLog: Buffer; readonly pcrValues: readonly Buffer[] }
}

export type AgainstTpm = {
  readonly kind: 'tpm'
  readonly nonce: Buffer
  readonly attestationKey: Buffer
  readonly reference: PlatformReference
  readonly previous?: PreviousCounters
}

export type AppraisedTpm = { readonly kind: 'tpm'; readonly quote: VerifiedQuote; readonly key: KeyObject | undefined }

/** A TPM's evidence against reference values: the very PCRs, or what an event log that replays to them says of the boot. Pure. */
export function appraiseTpm(evidence: TpmEvidence, against: AgainstTpm): Result<AppraisedTpm, TpmReason> {
  const quote =
    'boot' in against.reference
      ? quoteOfBoot(evidence, against, against.reference)
      : quoteOfDigest(evidence, against, against.reference)
  if (!quote.ok) return quote
  const key = certifiedKey(evidence, against)
  return key.ok ? accepted({ kind: 'tpm', quote: quote.value, key: key.value }) : key
}

type DigestReference = Extract<PlatformReference, { pcrDigest: string }>
type BootReference = Extract<PlatformReference, { boot: object }>

function quoteOfDigest(evidence: TpmEvidence, against: AgainstTpm, { pcrs, pcrDigest }: DigestReference) {
  return verifyQuote({ ...quoteEvidence(evidence, against), pcrs, pcrDigest: Buffer.from(pcrDigest, 'base64url') })
}

/** The signature first, then the values by the signed digest, then the log by the values: only then a word of the log counts (check 12). */
function quoteOfBoot(
  evidence: TpmEvidence,
  against: AgainstTpm,
  { pcrs, boot }: BootReference,
): Result<VerifiedQuote, TpmReason> {
  if (!evidence.boot) return refused('event-log-missing')
  const { eventLog, pcrValues } = evidence.boot
  if (pcrValues.length !== pcrs.length) return refused('pcr-values')
  const values: PcrValues = new Map(pcrs.map((pcr, at) => [pcr, pcrValues[at] as Buffer]))
  const quote = verifyQuote({
    ...quoteEvidence(evidence, against),
    pcrs,
    pcrDigest: pcrDigestOf(values),
    measuredBoot: values,
  })
  // Values are the sender's word: where they are not the signed ones, nothing is known of the platform (ATTACKS 26).
  if (!quote.ok) return quote.reason === 'pcr-digest' ? refused('pcr-values', quote.detail) : quote
  const events = replayEventLog(eventLog, values)
  if (!events.ok) return events
  const judged = judgeBoot(events.value, boot)
  return judged.ok ? quote : judged
}

const quoteEvidence = ({ quote }: TpmEvidence, { attestationKey, nonce, previous }: AgainstTpm) => ({
  ...quote,
  attestationKey,
  expectedExtraData: nonce,
  ...(previous && { previous }),
})

function certifiedKey({ key }: TpmEvidence, { attestationKey, nonce }: AgainstTpm): Result<KeyObject | undefined, TpmReason> {
  if (!key) return accepted(undefined)
  const area = parsePublicArea(key.publicArea)
  const requestKey = area.ok ? publicKeyOf(area.value) : undefined
  if (!requestKey) return refused('public-area-malformed')
  const { attest, signature, publicArea: certifiedKey } = key
  const certified = verifyCertify({ attest, signature, attestationKey, expectedExtraData: nonce, certifiedKey, requestKey })
  return certified.ok ? accepted(certified.value.publicKey) : certified
}
