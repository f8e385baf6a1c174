import 'reflect-metadata'
import { createPublicKey, type KeyObject, webcrypto } from 'node:crypto'
import { accepted, type Result, refused } from '@interlock/contracts'
import * as x509 from '@peculiar/x509'
import { exactDer } from './der.ts'
import { algorithmOf } from './signing-key.ts'

x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0])

const ES256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const bytesMax = 4096

export type CertificateRequestReason = 'csr-malformed' | 'csr-key' | 'csr-signature'

/** A certificate signing request (RFC 2986, DER) for a P-256 key. It names nobody: whom the certificate is for is not the requester's to say. */
export async function createCertificateRequest(privateKey: KeyObject): Promise<Buffer> {
  const keys = {
    privateKey: await webcrypto.subtle.importKey('pkcs8', privateKey.export({ type: 'pkcs8', format: 'der' }), ES256, false, [
      'sign',
    ]),
    publicKey: await webcrypto.subtle.importKey(
      'spki',
      createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
      ES256,
      true,
      ['verify'],
    ),
  }
  const request = await x509.Pkcs10CertificateRequestGenerator.create({ name: '', keys, signingAlgorithm: ES256 })
  return Buffer.from(request.rawData)
}

/** The key of a request whose own signature holds: whoever made it has the private key. Nothing else in it is believed. */
export async function readCertificateRequest(der: Buffer): Promise<Result<KeyObject, CertificateRequestReason>> {
  if (der.length > bytesMax || !exactDer(der)) return refused('csr-malformed')
  try {
    const request = new x509.Pkcs10CertificateRequest(der)
    const key = createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' })
    // The authority certifies P-256 alone.
    if (algorithmOf(key) !== 'ES256') return refused('csr-key')
    return (await request.verify()) ? accepted(key) : refused('csr-signature')
  } catch {
    return refused('csr-malformed')
  }
}
