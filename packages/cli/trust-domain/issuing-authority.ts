import 'reflect-metadata'
import { createPrivateKey, createPublicKey, webcrypto } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Issuer } from '@interlock/trust/issue'
import { X509Certificate } from '@peculiar/x509'
import type { Layout } from './layout.ts'

/** The local intermediate, to issue what `dev init` did not. It stands in for the registry's CA until there is one. */
export async function loadIssuingAuthority(layout: Layout): Promise<Issuer> {
  const privateKey = createPrivateKey(readFileSync(layout.key('issuing-authority')))
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' })
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  return {
    certificate: new X509Certificate(readFileSync(layout.chain('issuing-authority'), 'utf8')),
    privateKey,
    keys: {
      privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']),
      publicKey: await webcrypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
    },
  }
}
