import { randomBytes } from 'node:crypto'
import { accepted, type Result, refused } from '@interlock/contracts'
import type { Credential } from '../commands/activate-credential.ts'
import { equalBytes } from './attestation.ts'
import { makeCredential } from './make-credential.ts'

export type CredentialChallenge = Credential & { readonly id: string }
type Open = { readonly secret: Buffer; readonly name: Buffer; readonly expiresAt: number }

const secretBytes = 32

/**
 * Open credential challenges of an enrolment (check 4). Each can be answered once, right or wrong: a second try is a second challenge. At most
 * `openMax` are open, so that asking costs the asker more than us.
 */
export class CredentialChallenges {
  readonly #open = new Map<string, Open>()
  readonly #validityMs: number
  readonly #openMax: number

  constructor(limits: { validityMs: number; openMax: number }) {
    this.#validityMs = limits.validityMs
    this.#openMax = limits.openMax
  }

  /** A challenge that only the TPM with this endorsement key and an object of this name can answer. */
  issue(
    request: { endorsementKey: Uint8Array; name: Uint8Array },
    now: number,
  ): Result<CredentialChallenge, 'public-area-malformed' | 'endorsement-key' | 'too-many-challenges'> {
    for (const [id, { expiresAt }] of this.#open) if (expiresAt <= now) this.#open.delete(id)
    if (this.#open.size >= this.#openMax) return refused('too-many-challenges', { openMax: this.#openMax })
    const secret = randomBytes(secretBytes)
    const credential = makeCredential({ ...request, secret })
    if (!credential.ok) return credential
    const id = randomBytes(16).toString('base64url')
    this.#open.set(id, { secret, name: Buffer.from(request.name), expiresAt: now + this.#validityMs })
    return accepted({ id, ...credential.value })
  }

  /** Another takes its place. */
  withdraw(id: string): void {
    this.#open.delete(id)
  }

  /** The name that the answer proves to be in the TPM. */
  redeem(
    id: string,
    answer: Uint8Array,
    now: number,
  ): Result<Buffer, 'challenge-unknown' | 'challenge-expired' | 'challenge-wrong'> {
    const open = this.#open.get(id)
    this.#open.delete(id)
    if (!open) return refused('challenge-unknown')
    if (open.expiresAt <= now) return refused('challenge-expired')
    return equalBytes(open.secret, answer) ? accepted(open.name) : refused('challenge-wrong')
  }
}
