import { type Grant, grantsSchema } from '@interlock/contracts'
import { z } from 'zod'
import { OAuthError } from './oauth-error.ts'
import { lifetimeMax, lifetimeMin } from './token-claims.ts'

/** Form parameters of one request. */
export class Parameters {
  readonly #values: URLSearchParams

  /** @throws OAuthError where one is there twice (RFC 6749 §3.2) */
  constructor(body: string) {
    this.#values = new URLSearchParams(body)
    const names = [...this.#values.keys()]
    if (new Set(names).size !== names.length) throw new OAuthError('invalid_request', 'a parameter is there twice')
  }

  /** RFC 6749 §3.1: a parameter without a value is one that is not there. */
  get(name: string): string | undefined {
    return this.#values.get(name) || undefined
  }

  need(name: string): string {
    const value = this.get(name)
    if (value === undefined) throw new OAuthError('invalid_request', `${name} is missing`)
    return value
  }

  /** RFC 9396 §2. */
  grants(): readonly Grant[] | undefined {
    const text = this.get('authorization_details')
    if (text === undefined) return undefined
    const read = grantsSchema.safeParse(json(text))
    if (!read.success) throw new OAuthError('invalid_authorization_details', 'not as the schema has it')
    return read.data
  }

  /** A JSON array of SPIFFE IDs. */
  spiffeIds(name: string): readonly string[] {
    const text = this.get(name)
    if (text === undefined) return []
    const read = z.array(z.string().startsWith('spiffe://').max(2048)).max(16).safeParse(json(text))
    if (!read.success) throw new OAuthError('invalid_request', `${name} is no list of SPIFFE IDs`)
    return read.data
  }

  /** Seconds, within what a token may live. */
  lifetime(): number {
    return this.seconds('lifetime', lifetimeMin, lifetimeMax, lifetimeMax)
  }

  /** How many, 1 to `max`; must be there. */
  count(name: string, max: number): number {
    this.need(name)
    return this.seconds(name, 1, max, max)
  }

  seconds(name: string, min: number, max: number, otherwise: number): number {
    const text = this.get(name)
    if (text === undefined) return otherwise
    const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= min && value <= max)) throw new OAuthError('invalid_request', `${name} must be ${min} to ${max}`)
    return value
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
