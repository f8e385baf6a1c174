import { authorityKeyIdentifier, type Issuer, signingBy } from './issuer.ts'
import { x509 } from './x509.ts'

export type RevokedCertificate = {
  /** Hex. */
  readonly serial: string
  /** Milliseconds since 1970. */
  readonly from: number
}

export type RevocationListProfile = {
  /** RFC 5280 §5.2.3: goes up with each list of the issuer. */
  readonly number: number
  /** Milliseconds since 1970, and when the next one is out at the latest. */
  readonly thisUpdateMs: number
  readonly nextUpdateMs: number
  readonly revoked: readonly RevokedCertificate[]
}

/** A full, direct CRL of an authority over its own certificates, DER. */
export async function issueRevocationList(issuer: Issuer, profile: RevocationListProfile): Promise<Buffer> {
  const { parameters, crypto } = signingBy(issuer)
  const list = await x509.X509CrlGenerator.create(
    {
      issuer: issuer.certificate.subject,
      thisUpdate: new Date(profile.thisUpdateMs),
      nextUpdate: new Date(profile.nextUpdateMs),
      entries: profile.revoked.map(({ serial, from }) => ({ serialNumber: serial, revocationDate: new Date(from) })),
      extensions: [await authorityKeyIdentifier(issuer), new x509.Extension('2.5.29.20', false, integer(profile.number))],
      ...parameters,
    },
    crypto,
  )
  return Buffer.from(list.rawData)
}

/** DER of a whole number above zero. */
function integer(value: number): Buffer {
  const hex = value.toString(16)
  const bytes = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex')
  const content = (bytes[0] as number) & 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes
  return Buffer.concat([Buffer.of(0x02, content.length), content])
}
