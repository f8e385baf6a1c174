import { X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type RequestOptions, request } from 'node:https'
import type { DetailedPeerCertificate, PeerCertificate } from 'node:tls'
import type { Partner } from '@interlock/contracts'
import { anchorsOf, spiffeBundleBytesMax, validateSvid } from '@interlock/trust'
import type { ConfiguredPartner } from './federation-settings.ts'
import { clockSkewMs } from './parts.ts'

/** From the first byte sent to the last received, milliseconds. */
const answerMsMax = 10_000

export type FetchReason = 'endpoint-away' | 'endpoint-untrusted' | 'endpoint-status' | 'bundle-too-large'

/** The bundle was not had, and it is not known why beyond the reason. */
export class FetchError extends Error {
  readonly reason: FetchReason
  constructor(reason: FetchReason, detail: string) {
    super(`${reason}: ${detail}`)
    this.name = 'FetchError'
    this.reason = reason
  }
}

/** By whose roots an https_spiffe endpoint is known. */
export type EndpointRoots = Pick<Partner, 'trustDomain' | 'roots'>

/**
 * Asks a partner's bundle endpoint: the configured address and no other (a redirect is refused), so long and so much and no more.
 * @throws FetchError
 */
export async function fetchBundle(partner: ConfiguredPartner, roots: EndpointRoots, now: number): Promise<Buffer> {
  const options: RequestOptions = {
    ...tlsOf(partner, roots, now),
    // A connection of its own: a resumed session would skip the check of who answers.
    agent: false,
    minVersion: 'TLSv1.2',
    headers: { accept: 'application/json' },
    signal: AbortSignal.timeout(answerMsMax),
  }
  return new Promise((resolve, reject) => {
    const asked = request(partner.bundleEndpoint, options, (response) => {
      // SPIFFE Federation §5.2: a client need not follow redirects; one would lead where nobody configured.
      if (response.statusCode !== 200) {
        response.destroy()
        return reject(new FetchError('endpoint-status', String(response.statusCode)))
      }
      bodyOf(response).then(resolve, reject)
    })
    asked.on('error', (error) => reject(error instanceof FetchError ? error : new FetchError(reasonOf(error), error.message)))
    asked.end()
  })
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  let bytes = 0
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      bytes += part.length
      if (bytes > spiffeBundleBytesMax) throw new FetchError('bundle-too-large', `more than ${spiffeBundleBytesMax} bytes`)
      parts.push(part)
    }
  } catch (error) {
    throw error instanceof FetchError ? error : new FetchError('endpoint-away', String(error))
  } finally {
    response.destroy()
  }
  return Buffer.concat(parts)
}

function tlsOf(partner: ConfiguredPartner, roots: EndpointRoots, now: number): RequestOptions {
  if (partner.profile === 'https_web')
    return partner.certificateAuthorities === undefined ? {} : { ca: partner.certificateAuthorities }
  return {
    ca: roots.roots.map((text) => new X509Certificate(Buffer.from(text, 'base64url')).toString()),
    // By SPIFFE ID, never by host name (SPIFFE Federation §5.2.2); and by our own rules for a path, not by OpenSSL's alone.
    checkServerIdentity: (_host, certificate) => {
      const svid = validateSvid(presented(certificate), anchorsOf(roots), now, clockSkewMs)
      if (svid.ok && svid.value.spiffeId === partner.endpointSpiffeId) return undefined
      return new FetchError('endpoint-untrusted', svid.ok ? svid.value.spiffeId : svid.reason)
    },
  }
}

/** What the server showed, leaf first, without the root. */
function presented(leaf: PeerCertificate): Buffer[] {
  const chain: Buffer[] = []
  let at: DetailedPeerCertificate | undefined = leaf as DetailedPeerCertificate
  while (at && at.issuerCertificate !== at && chain.length < 8) {
    chain.push(at.raw)
    at = at.issuerCertificate
  }
  return chain
}

/** OpenSSL's and Node's names for a certificate that does not hold. */
const untrusted = /CERT|SIGNATURE|SELF_SIGNED|ALTNAME|UNABLE_TO/
const reasonOf = (error: NodeJS.ErrnoException): FetchReason =>
  untrusted.test(error.code ?? '') ? 'endpoint-untrusted' : 'endpoint-away'
