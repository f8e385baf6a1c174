import { TLSSocket } from 'node:tls'
import type { HttpBindings } from '@hono/node-server'
import type { HonoRequest } from 'hono'
import { OAuthError } from './oauth-error.ts'
import { Parameters } from './parameters.ts'
import type { Parts } from './parts.ts'
import { peerChain } from './peer-chain.ts'

/** What a client sends to an OAuth endpoint, and what came with it. */
export type EndpointRequest = {
  readonly parameters: Parameters
  readonly method: string
  /** The URL by which the client knows the endpoint. */
  readonly address: string
  /** The header DPoP, as it came. */
  readonly dpop: string | undefined
  /** DER certificates of the TLS client, leaf first; none over plain HTTP, whatever a header says. */
  readonly peer: readonly Buffer[]
}

/** @throws OAuthError where the body is no form, or says one thing twice */
export async function readRequest(
  request: HonoRequest,
  { incoming }: Partial<HttpBindings>,
  { issuer, mtls }: Pick<Parts, 'issuer' | 'mtls'>,
): Promise<EndpointRequest> {
  if (!/^application\/x-www-form-urlencoded(;|$)/.test(request.header('content-type') ?? ''))
    throw new OAuthError('invalid_request', 'content-type')
  // Which of our listeners it came to: the socket knows. Headers of proxies (Client-Cert, X-Forwarded-*) are anybody's to write.
  const socket = incoming?.socket
  const base = socket instanceof TLSSocket ? mtls?.url : issuer
  return {
    parameters: new Parameters(await request.text()),
    method: request.method,
    address: `${base}${request.path}`,
    dpop: request.header('dpop'),
    peer: socket instanceof TLSSocket ? peerChain(socket) : [],
  }
}
