import { X509Certificate } from 'node:crypto'
import { type ChainCertificate, readChainCertificate } from '@interlock/tpm/chain-certificate'
import { derElement, derTag } from '@interlock/tpm/der'
import type { SnpTcb } from '@interlock/trust'

/** Versioned Chip Endorsement Key (VCEK) Certificate and KDS Interface Specification, "VCEK Certificate Definition". */
const prefix = '1.3.6.1.4.1.3704.1.'
const oid = { product: `${prefix}2`, hardwareId: `${prefix}4`, cspId: `${prefix}5` } as const
const splOid = { bootLoader: `${prefix}3.1`, tee: `${prefix}3.2`, snp: `${prefix}3.3`, microcode: `${prefix}3.8` } as const
const splReserved = [4, 5, 6, 7].map((number) => `${prefix}3.${number}`)
const ia5String = 0x16
const hardwareIdBytes = 64

export type AmdCertificate = ChainCertificate & { readonly x509: X509Certificate }

/** What AMD says of the chip, or of the fleet, whose key signs reports. */
export type ChipCertificate = {
  readonly signer: 'vcek' | 'vlek'
  readonly product: string
  /** Undefined of a VLEK, which many chips share. */
  readonly hardwareId: Buffer | undefined
  readonly tcb: SnpTcb
}

/** @throws MalformedBytes, or an error of OpenSSL */
export const readAmdCertificate = (bytes: Buffer): AmdCertificate => ({
  ...readChainCertificate(bytes),
  x509: new X509Certificate(bytes),
})

/** Undefined where it is no certificate of a P-384 chip or fleet key. @throws MalformedBytes */
export function readChipCertificate({ x509, extensions }: AmdCertificate): ChipCertificate | undefined {
  const name = /(?:^|\n)CN=SEV-(VCEK|VLEK)$/m.exec(x509.subject)?.[1]
  if (!name || x509.ca || x509.publicKey.asymmetricKeyDetails?.namedCurve !== 'secp384r1') return undefined
  // None is critical; one that AMD adds and makes critical is one that must not be passed over.
  if ([...extensions.values()].some(({ isCritical }) => isCritical)) return undefined
  const extensionOf = (id: string) => extensions.get(id)?.value
  const levels = Object.entries(splOid).map(([level, id]) => [level, smallInteger(extensionOf(id))] as const)
  if (levels.some(([, value]) => value === undefined) || splReserved.some((id) => smallInteger(extensionOf(id)) !== 0))
    return undefined
  const product = extensionOf(oid.product)
  const hardwareId = hardwareIdOf(extensionOf(oid.hardwareId))
  const isVcek = name === 'VCEK'
  // Exactly one of the two: a chip's key says which chip, a fleet's whose fleet.
  if (!product || isVcek !== (hardwareId !== undefined) || isVcek === extensions.has(oid.cspId)) return undefined
  return {
    signer: isVcek ? 'vcek' : 'vlek',
    product: derElement(product, ia5String).content.toString('latin1'),
    hardwareId,
    tcb: Object.fromEntries(levels) as SnpTcb,
  }
}

/** INTEGER of 0 to 255. */
function smallInteger(value: Buffer | undefined): number | undefined {
  if (!value) return undefined
  const { content } = derElement(value, derTag.integer)
  return content.length <= 2 && content.length > 0 && content.readIntBE(0, content.length) >= 0
    ? content.readIntBE(0, content.length)
    : undefined
}

/** Bare 64 bytes, as AMD's key service writes it, or an OCTET STRING of them. */
function hardwareIdOf(value: Buffer | undefined): Buffer | undefined {
  if (!value || value.length === hardwareIdBytes) return value
  const { content } = derElement(value, derTag.octetString)
  return content.length === hardwareIdBytes ? content : undefined
}
