import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'

/** More than a chain may have, so that one that is too long is refused as such. */
const lengthMax = 8

/** What a TLS client showed, and proved the key of, as DER, leaf first, without a root. Whether it counts is not asked here. */
export function peerChain(socket: TLSSocket): Buffer[] {
  const chain: Buffer[] = []
  // Node has an empty object for a client that showed nothing, and lets a root be its own issuer.
  let at: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true)
  while (at?.raw && chain.length < lengthMax) {
    const issuer: Partial<DetailedPeerCertificate> | undefined = at.issuerCertificate
    const isSelfIssued: boolean = issuer === at
    if (!isSelfIssued || chain.length === 0) chain.push(at.raw)
    at = isSelfIssued ? undefined : issuer
  }
  return chain
}
