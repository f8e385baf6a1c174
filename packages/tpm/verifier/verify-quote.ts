import { accepted, type Result, refused } from '@interlock/contracts'
import { algorithm } from '../structures/algorithms.ts'
import type { ClockInfo } from '../structures/attest.ts'
import type { PcrSelection } from '../structures/pcr-selection.ts'
import { type AttestationEvidence, equalBytes, verifyAttestation } from './attestation.ts'
import { type PcrValues, pcrDigestOf } from './pcr-digest.ts'
import type { TpmReason } from './tpm-reason.ts'

/** The counters of the last quote accepted from the same attestation key; of another key's they say nothing. */
export type PreviousCounters = { readonly clock: number; readonly resetCount: number; readonly restartCount: number }

export type QuoteEvidence = AttestationEvidence & {
  /** PCRs of the SHA-256 bank that policy wants quoted: all of them and no other. */
  readonly pcrs: readonly number[]
  /** The reference digest over their values. */
  readonly pcrDigest: Uint8Array
  readonly previous?: PreviousCounters
  /**
   * The PCR values that came with the quote of a machine whose firmware measures its boot. They count only where they hash to the
   * signed digest, and a PCR 0 or 4 that nothing was measured into is refused. A bare software TPM has none to give.
   */
  readonly measuredBoot?: PcrValues
}

export type VerifiedQuote = {
  readonly clockMs: number
  readonly resetCount: number
  readonly restartCount: number
  readonly safe: boolean
  /** Whether the TPM was reset or resumed since `previous`. */
  readonly isRestarted: boolean
  /** 16 hex digits. */
  readonly firmwareVersion: string
  readonly qualifiedSigner: Buffer
  readonly pcrDigest: Buffer
}

/** PCRs that firmware (0) and the boot loader (4) are always measured into on a real machine (PC Client PFP, 3.3.4). */
const alwaysMeasured = [0, 4]

function isSelected(selections: readonly PcrSelection[], pcrs: readonly number[]): boolean {
  const [only, ...others] = selections
  if (!only || others.length > 0 || only.bank !== algorithm.sha256 || pcrs.length === 0) return false
  const wanted = [...new Set(pcrs)].sort((one, other) => one - other)
  return only.pcrs.length === wanted.length && wanted.every((pcr, index) => only.pcrs[index] === pcr)
}

/**
 * What went backwards. A restart count begins anew with each reset. The clock may only be behind after a reset without TPM2_Shutdown, which the TPM
 * itself states by `safe` (part 1, 36.3; docs/decisions/0009-tpm-clock-after-a-power-cut.md).
 */
function rolledBack(clock: ClockInfo, previous: PreviousCounters): string | undefined {
  if (clock.resetCount < previous.resetCount) return 'resetCount'
  if (clock.resetCount === previous.resetCount && clock.restartCount < previous.restartCount) return 'restartCount'
  const mayBeBehind = clock.resetCount > previous.resetCount && !clock.safe
  if (clock.clockMs < previous.clock && !mayBeBehind) return 'clock'
  return undefined
}

/** Verifies a quote against what enrolment and policy know. Pure: the same bytes and the same knowledge, the same answer. */
export function verifyQuote(evidence: QuoteEvidence): Result<VerifiedQuote, TpmReason> {
  const attestation = verifyAttestation(evidence, 'quote')
  if (!attestation.ok) return attestation
  const { attest, attestationKey } = attestation.value
  const { selections, pcrDigest } = attest.attested

  // Which PCRs were quoted is the signed selection's word, not the sender's labels.
  if (!isSelected(selections, evidence.pcrs)) return refused('pcr-selection', { quoted: selections, expected: evidence.pcrs })
  if (!equalBytes(pcrDigest, evidence.pcrDigest)) return refused('pcr-digest', { quoted: pcrDigest.toString('base64url') })

  const values = evidence.measuredBoot
  if (values) {
    const isSame = values.size === evidence.pcrs.length && evidence.pcrs.every((pcr) => values.has(pcr))
    if (!isSame || !equalBytes(pcrDigestOf(values, attestationKey.hash), pcrDigest)) return refused('pcr-values')
    const empty = alwaysMeasured.find((pcr) => values.get(pcr)?.every((byte) => byte === 0))
    if (empty !== undefined) return refused('pcr-not-measured', { pcr: empty })
  }

  const { previous } = evidence
  const { clock, firmwareVersion, qualifiedSigner } = attest
  const back = previous && rolledBack(clock, previous)
  if (back) return refused('counter-rollback', { counter: back, quoted: clock, previous })

  const isRestarted =
    previous !== undefined && (clock.resetCount !== previous.resetCount || clock.restartCount !== previous.restartCount)
  return accepted({ ...clock, isRestarted, firmwareVersion, qualifiedSigner, pcrDigest })
}
