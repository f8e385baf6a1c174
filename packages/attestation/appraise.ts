import { type Result, refused } from '@interlock/contracts'
import type { TpmReason } from '@interlock/tpm'
import type { DiceReference } from '@interlock/trust'
import type { DiceReason } from './dice/dice-reason.ts'
import { type AppraisedDice, type DiceEvidence, verifyDice } from './dice/verify-dice.ts'
import type { SnpReason } from './sev-snp/snp-reason.ts'
import { type AgainstSnp, type AppraisedSnp, type SnpEvidence, verifySnp } from './sev-snp/verify-snp.ts'
import { type AgainstTpm, type AppraisedTpm, appraiseTpm, type TpmEvidence } from './tpm/appraise-tpm.ts'

/** Kinds that have a name and no verifier here: refused by it, not taken for something else. */
export const unsupportedKinds = ['sev', 'sev-es', 'tdx', 'sgx', 'nitro', 'cca', 'trustzone'] as const
type UnsupportedKind = (typeof unsupportedKinds)[number]

/** What an attester says of itself (RFC 9334 §8.1), by kind. */
export type Evidence = TpmEvidence | DiceEvidence | SnpEvidence | { readonly kind: UnsupportedKind }

/** What it is appraised against: our fresh nonce, and the reference values that were admitted (RFC 9334 §8.3). */
export type Against = AgainstTpm | AgainstDice | AgainstSnp
type AgainstDice = { readonly kind: 'dice'; readonly nonce: Buffer; readonly reference: DiceReference }

export type Appraised = AppraisedTpm | AppraisedDice | AppraisedSnp

export type AppraisalReason =
  | TpmReason
  | `dice-${DiceReason}`
  | `sev-snp-${SnpReason}`
  | 'evidence-kind'
  | `evidence-${UnsupportedKind}-unsupported`

type Of<Union, Kind> = Extract<Union, { kind: Kind }>
type Kind = Against['kind']
/** One kind of evidence: pure, and everything that it trusts is an argument. */
type Verifier<K extends Kind> = (evidence: Of<Evidence, K>, against: Of<Against, K>) => Result<Of<Appraised, K>, AppraisalReason>

const verifiers: { readonly [K in Kind]: Verifier<K> } = {
  tpm: appraiseTpm,
  dice: (evidence, { nonce, reference }) => {
    const appraised = verifyDice(evidence, { challenge: nonce, reference })
    return appraised.ok ? appraised : refused(`dice-${appraised.reason}`, appraised.detail)
  },
  'sev-snp': (evidence, against) => {
    const appraised = verifySnp(evidence, against)
    return appraised.ok ? appraised : refused(`sev-snp-${appraised.reason}`, appraised.detail)
  },
}

/** Appraises evidence of the kind that was admitted (RFC 9334 "appraisal"): another kind says nothing about what was. Pure. */
export function appraise<K extends Kind>(evidence: Evidence, against: Of<Against, K>): Result<Of<Appraised, K>, AppraisalReason> {
  const unsupported = unsupportedKinds.find((kind) => kind === evidence.kind)
  if (unsupported) return refused(`evidence-${unsupported}-unsupported`)
  const kind = against.kind as K
  if (evidence.kind !== kind) return refused('evidence-kind', { kind: evidence.kind })
  const verifier: Verifier<K> = verifiers[kind]
  return verifier(evidence as Of<Evidence, K>, against)
}

/**
 * What evidence shows only where the platform itself signed it over our nonce: that it is not as it was. All other refusals may be a stranger's
 * doing, who must not be able to put anybody out of service.
 */
const contradictions: ReadonlySet<AppraisalReason> = new Set<AppraisalReason>([
  'pcr-digest',
  'counter-rollback',
  'pcr-not-measured',
  'boot-separator',
  'boot-secure-boot',
  'boot-authority',
  'boot-driver',
  'boot-image',
  'dice-layers',
  'dice-mode',
  'dice-code',
  'dice-configuration',
  'dice-authority',
  'sev-snp-debug',
  'sev-snp-migration',
  'sev-snp-measurement',
  'sev-snp-guest-svn',
  'sev-snp-tcb-too-low',
  'sev-snp-vmpl',
])

export const isContradiction = (reason: AppraisalReason): boolean => contradictions.has(reason)
