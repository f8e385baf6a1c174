import { accepted, type Result, refused } from '@interlock/contracts'
import { digest } from './digest.ts'
import type { SigningKey } from './signing-key.ts'
import { strictJson } from './strict-json.ts'

export type JwsReason = 'jws-too-large' | 'jws-malformed'

/** A compact JWS (RFC 7515 §3.1) as its sender wrote it: nothing here is verified. */
export type Jws = {
  readonly header: Readonly<Record<string, unknown>>
  readonly payload: unknown
  readonly signingInput: Buffer
  readonly signature: Buffer
  /** base64url SHA-256 of the signing input: the token's identity, since a signature can be written in more than one way. */
  readonly digest: string
}

const bytesMax = 32_768

/**
 * Reads a compact JWS strictly: only base64url without padding in its one spelling (RFC 4648 §3.5; jose takes five forms of one
 * token, ATTACKS 42), no duplicate member (ATTACKS 54), no header that changes how the rest is read (ATTACKS 59). `reads` are header members that
 * the caller judges itself.
 */
export function readJws(text: string, reads: readonly 'jwk'[] = []): Result<Jws, JwsReason> {
  if (text.length > bytesMax) return refused('jws-too-large', { characters: text.length, max: bytesMax })
  const parts = text.split('.')
  const [header, payload, signature] = parts.map(strictBase64url)
  if (parts.length !== 3 || !header || !payload || !signature) return refused('jws-malformed', { at: 'encoding' })
  const parsedHeader = strictJson(header)
  const parsedPayload = strictJson(payload)
  if (!isObject(parsedHeader) || !isObject(parsedPayload)) return refused('jws-malformed', { at: 'json' })
  // RFC 7515 §4.1.11: what is marked critical must be understood, and nothing of the kind is. b64, zip and enc change what is read.
  const dangerous = ['crit', 'b64', 'zip', 'enc', 'jwk', 'jku', 'x5u']
  if (dangerous.some((name) => Object.hasOwn(parsedHeader, name) && !reads.some((own) => own === name)))
    return refused('jws-malformed', { at: 'header' })
  const signingInput = Buffer.from(text.slice(0, text.lastIndexOf('.')), 'ascii')
  return accepted({ header: parsedHeader, payload: parsedPayload, signingInput, signature, digest: digest(signingInput) })
}

/** Signs a payload as compact JWS with a key that may live in a TPM. */
export async function signJws(header: Readonly<Record<string, unknown>>, payload: unknown, key: SigningKey): Promise<string> {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${encode({ alg: key.algorithm, ...header })}.${encode(payload)}`
  return `${input}.${(await key.sign(Buffer.from(input, 'ascii'))).toString('base64url')}`
}

/** The header's `x5c` (RFC 7515 §4.1.6: standard base64) as DER, at most five; undefined where it is none. */
export function certificatesOf(header: Jws['header']): Buffer[] | undefined {
  const { x5c } = header
  if (!Array.isArray(x5c) || x5c.length === 0 || x5c.length > 5) return undefined
  const chain = x5c.map((text) => (typeof text === 'string' ? Buffer.from(text, 'base64') : Buffer.alloc(0)))
  return chain.every((der, at) => der.length > 0 && der.toString('base64') === x5c[at]) ? chain : undefined
}

export const x5cOf = (chain: readonly Buffer[]): string[] => chain.map((der) => der.toString('base64'))

function strictBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return text.length > 0 && bytes.toString('base64url') === text ? bytes : undefined
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
