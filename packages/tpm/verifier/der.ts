import { MalformedBytes } from '../structures/byte-reader.ts'

/** One DER element (X.690): its tag, its contents, and all its bytes. */
export type DerElement = { readonly tag: number; readonly content: Buffer; readonly bytes: Buffer }

/** Tags used in certificates and CRLs. */
export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** The length octets: definite, and in as few octets as it takes (X.690, 10.1). */
function readLength(bytes: Buffer): { length: number; header: number } {
  const first = bytes[1]
  if (first === undefined) throw new MalformedBytes('DER element without a length')
  if (first < 0x80) return { length: first, header: 2 }
  const octets = first & 0x7f
  if (octets < 1 || octets > 3 || bytes.length < 2 + octets) throw new MalformedBytes('DER length')
  const length = bytes.readUIntBE(2, octets)
  if (length < (octets === 1 ? 0x80 : 2 ** (8 * (octets - 1)))) throw new MalformedBytes('DER length not minimal')
  return { length, header: 2 + octets }
}

function readElement(bytes: Buffer): DerElement {
  const tag = bytes[0]
  if (tag === undefined || (tag & 0x1f) === 0x1f) throw new MalformedBytes('DER tag')
  const { length, header } = readLength(bytes)
  if (bytes.length < header + length) throw new MalformedBytes('DER element cut short')
  return { tag, content: bytes.subarray(header, header + length), bytes: bytes.subarray(0, header + length) }
}

/** The single element that the bytes are, with nothing after it. */
export function derElement(bytes: Buffer, tag: number): DerElement {
  const element = readElement(bytes)
  if (element.tag !== tag) throw new MalformedBytes(`DER tag 0x${element.tag.toString(16)}, not 0x${tag.toString(16)}`)
  if (element.bytes.length !== bytes.length) throw new MalformedBytes('bytes after a DER element')
  return element
}

/** The elements inside a constructed one. */
export function derChildren(element: DerElement): DerElement[] {
  const children: DerElement[] = []
  for (let rest = element.content; rest.length > 0; ) {
    const child = readElement(rest)
    children.push(child)
    rest = rest.subarray(child.bytes.length)
  }
  return children
}

/** Dotted text of an OBJECT IDENTIFIER whose arcs stay below 2^28, as those of certificates do. */
export function oidText(element: DerElement): string {
  if (element.tag !== derTag.oid || element.content.length === 0) throw new MalformedBytes('OBJECT IDENTIFIER')
  const arcs: number[] = []
  let arc = 0
  for (const octet of element.content) {
    if (arc >= 2 ** 21) throw new MalformedBytes('OBJECT IDENTIFIER arc')
    arc = arc * 128 + (octet & 0x7f)
    if (octet < 0x80) {
      arcs.push(arc)
      arc = 0
    }
  }
  const [first = 0, ...rest] = arcs
  const top = Math.min(2, Math.floor(first / 40))
  return [top, first - top * 40, ...rest].join('.')
}

/** Milliseconds since 1970 of a Time (RFC 5280, 4.1.2.5): seconds, Z, no fraction. */
export function derTime(element: DerElement): number {
  const text = element.content.toString('latin1')
  const isUtc = element.tag === derTag.utcTime
  const match = (isUtc ? /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/ : /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/).exec(
    text,
  )
  if (!match || (!isUtc && element.tag !== derTag.generalizedTime)) throw new MalformedBytes('time')
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number)
  const fullYear = isUtc ? year + (year < 50 ? 2000 : 1900) : year
  const time = Date.UTC(fullYear, month - 1, day, hour, minute, second)
  const isReal =
    new Date(time).toISOString().replace(/[-:T]|\.\d+Z/g, '') === `${fullYear}`.padStart(4, '0') + text.slice(isUtc ? 2 : 4, -1)
  if (!isReal) throw new MalformedBytes('time')
  return time
}
