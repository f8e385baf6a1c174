import type { TaskToken } from './task-token.ts'
import type { TrustAnchors } from './trust-anchors.ts'

type VerifiedToken = {
  readonly token: TaskToken
  /** x5t#S256 of the certificate whose key the signature is by. */
  readonly signer: string
}

/**
 * Tokens whose signature was found good, newest kept: a job's tokens come with each of its intents, and what they say and who signed it
 * does not change. Whether the signer may still sign, and time, revocation and binding, are asked each time. A stranger's text is never
 * kept, so that nobody can push others' tokens out without a signature that counts.
 */
export class VerifiedTokens {
  readonly #tokens = new Map<string, VerifiedToken>()
  readonly #countMax: number

  constructor(countMax = 1024) {
    this.#countMax = countMax
  }

  get(text: string): VerifiedToken | undefined {
    return this.#tokens.get(text)
  }

  add(text: string, verified: VerifiedToken): void {
    this.#tokens.set(text, verified)
    if (this.#tokens.size > this.#countMax) this.#tokens.delete(this.#tokens.keys().next().value as string)
  }
}

const ofAnchors = new WeakMap<TrustAnchors, VerifiedTokens>()

/** Those that were verified under this trust bundle: another bundle knows nothing of them. */
export function verifiedTokensOf(anchors: TrustAnchors): VerifiedTokens {
  const known = ofAnchors.get(anchors) ?? new VerifiedTokens()
  ofAnchors.set(anchors, known)
  return known
}
