import { createHash, randomBytes } from 'node:crypto'
import { type AppraisalReason, type AppraisedTpm, appraise, type Evidence } from '@interlock/attestation'
import { accepted, type Result, refused } from '@interlock/contracts'
import { CredentialChallenges, nameOf, readAttestationKey, type TpmModel, verifyEndorsement } from '@interlock/tpm'
import type { Admission, PlatformReference } from '@interlock/trust'

/** How long a TPM has to answer a challenge. */
export const answerMs = 60_000

/** The admission of a platform, by its reference values. */
export type PlatformAdmission = Admission & { readonly platform: PlatformReference }

export type BeginRequest = {
  /** DER, leaf first, without the root. */
  readonly endorsementChain: readonly Buffer[]
  /** TPMT_PUBLIC. */
  readonly endorsementKey: Buffer
  readonly attestationKey: Buffer
}

/** What an appraisal found, and what the next one starts from. */
export type Appraised = Omit<AppraisedTpm, 'kind'> & {
  readonly attestationKey: Buffer
  readonly model: TpmModel
  /** base64url SHA-256 of the endorsement certificate. */
  readonly endorsement: string
}

export type EnrolmentReason =
  | AppraisalReason
  | 'challenge-unknown'
  | 'challenge-expired'
  | 'challenge-wrong'
  | 'too-many-challenges'
  | 'other-tpm'

type Open = {
  readonly admission: PlatformAdmission
  readonly begin: BeginRequest
  readonly nonce: Buffer
  readonly model: TpmModel
  readonly endorsement: string
}

/**
 * Enrolments that wait for their TPM's answer. A vendor's certificate says that the endorsement key is a TPM's; the credential, which only that TPM opens
 * and only for a key of this name, says that the attestation key is in it; its quote says what was booted; its certification that the agent's key is there too.
 */
export class Enrolments {
  readonly #challenges = new CredentialChallenges({ validityMs: answerMs, openMax: 1000 })
  readonly #open = new Map<string, Open>()
  readonly #roots: readonly Buffer[]

  constructor(roots: readonly Buffer[]) {
    this.#roots = roots
  }

  begin(admission: PlatformAdmission, begin: BeginRequest, now: number) {
    const { endorsementChain: chain, endorsementKey, attestationKey } = begin
    const endorsement = createHash('sha256')
      .update(chain[0] ?? '')
      .digest('base64url')
    if ((admission.platform.endorsement ?? endorsement) !== endorsement) return refused('other-tpm')
    const vouched = verifyEndorsement({
      chain,
      endorsementKey,
      roots: this.#roots,
      crls: [],
      requireRevocationStatus: false,
      now,
    })
    if (!vouched.ok) return vouched
    const area = readAttestationKey(attestationKey)
    if (!area.ok) return area
    this.#withdraw(admission.jti)
    const challenge = this.#challenges.issue({ endorsementKey, name: nameOf(area.value.area) }, now)
    if (!challenge.ok) return challenge
    const nonce = randomBytes(32)
    this.#open.set(challenge.value.id, { admission, begin, nonce, model: vouched.value, endorsement })
    // As many as there are open challenges: those that are over are known by their order.
    for (const id of this.#open.keys()) if (this.#open.size > 1000) this.#open.delete(id)
    return accepted({ ...challenge.value, nonce })
  }

  /** The newest takes the place of the one before: an admission that is not used holds one place of all, and who begins anew need not wait. */
  #withdraw(jti: string): void {
    for (const [id, { admission }] of this.#open) {
      if (admission.jti !== jti) continue
      this.#open.delete(id)
      this.#challenges.withdraw(id)
    }
  }

  /** One answer to a challenge, right or wrong. */
  finish(
    id: string,
    secret: Buffer,
    evidence: Evidence,
    now: number,
  ): Result<{ admission: PlatformAdmission; appraised: Appraised }, EnrolmentReason> {
    const open = this.#open.get(id)
    this.#open.delete(id)
    const proved = this.#challenges.redeem(id, secret, now)
    if (!proved.ok) return proved
    if (!open) return refused('challenge-unknown')
    const { admission, begin, nonce, model, endorsement } = open
    const { attestationKey } = begin
    const platform = appraise(evidence, { kind: 'tpm', attestationKey, nonce, reference: admission.platform })
    if (!platform.ok) return platform
    return accepted({ admission, appraised: { attestationKey, model, endorsement, ...platform.value } })
  }
}
