import { accepted, type Result } from '@interlock/contracts'
import type { ClockInfo } from '../structures/attest.ts'
import { type AttestationEvidence, verifyAttestation } from './attestation.ts'
import type { TpmReason } from './tpm-reason.ts'

export type VerifiedTime = ClockInfo & { readonly timeMs: number; readonly firmwareVersion: string }

/** Verifies a signed TPM2_GetTime: how long the TPM runs (`timeMs`, since power on) and its clock. Pure. */
export function verifyTime(evidence: AttestationEvidence): Result<VerifiedTime, TpmReason> {
  const attestation = verifyAttestation(evidence, 'time')
  if (!attestation.ok) return attestation
  const { timeMs, clock, firmwareVersion } = attestation.value.attest.attested
  return accepted({ ...clock, timeMs, firmwareVersion })
}
