import { gunzipSync, gzipSync } from 'node:zlib'
import { BundleError } from './bundle-error.ts'

/** Bytes of a bundle after it is unpacked; what control.policies can carry is less. */
export const archiveBytesMax = 8_000_000
const filesMax = 200
const blockBytes = 512

/** Files of a .tar.gz by their path, without a slash before it. Only plain files: no links, no devices. @throws BundleError */
export function readArchive(gzipped: Uint8Array): ReadonlyMap<string, Buffer> {
  const tar = unpack(gzipped)
  const files = new Map<string, Buffer>()
  let at = 0
  while (at + blockBytes <= tar.length) {
    const header = tar.subarray(at, at + blockBytes)
    if (header.every((byte) => byte === 0)) return files
    const { path, size, kind } = readHeader(header)
    at += blockBytes
    if (at + size > tar.length) throw malformed('it is cut off')
    if (kind === 'file') {
      // Of two files of one name the reader would see one, and whoever signed it the other.
      if (files.has(path)) throw malformed(`${path} is in it twice`)
      if (files.size === filesMax) throw new BundleError('bundle-too-large', `it has more than ${filesMax} files`)
      files.set(path, Buffer.from(tar.subarray(at, at + size)))
    }
    at += Math.ceil(size / blockBytes) * blockBytes
  }
  throw malformed('it has no end')
}

/** A .tar.gz of these files; the same files give the same bytes. */
export function writeArchive(files: ReadonlyMap<string, Uint8Array>): Buffer {
  const parts: Buffer[] = []
  for (const [path, bytes] of files) {
    parts.push(writeHeader(path, bytes.length), Buffer.from(bytes), Buffer.alloc(-bytes.length & (blockBytes - 1)))
  }
  return gzipSync(Buffer.concat([...parts, Buffer.alloc(2 * blockBytes)]))
}

function unpack(gzipped: Uint8Array): Buffer {
  try {
    return gunzipSync(gzipped, { maxOutputLength: archiveBytesMax })
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE')
      throw new BundleError('bundle-too-large', `it unpacks to more than ${archiveBytesMax} bytes`)
    throw malformed('it is not gzip')
  }
}

/** POSIX.1-2017, pax, "ustar Interchange Format". */
function readHeader(header: Buffer): { readonly path: string; readonly size: number; readonly kind: 'file' | 'folder' } {
  const text = (from: number, length: number) => header.toString('utf8', from, from + length).replace(/\0.*$/s, '')
  const octal = (from: number, length: number) => {
    const digits = text(from, length).trim()
    if (!/^[0-7]{1,11}$/.test(digits)) throw malformed('a number in it is none')
    return Number.parseInt(digits, 8)
  }
  const blanked = Buffer.from(header)
  blanked.fill(0x20, 148, 156)
  if (octal(148, 8) !== blanked.reduce((sum, byte) => sum + byte, 0)) throw malformed('a checksum in it is wrong')
  const type = text(156, 1)
  if (type !== '' && type !== '0' && type !== '5') throw malformed(`it holds something of type ${type}: only plain files count`)
  const prefix = header.toString('latin1', 257, 262) === 'ustar' ? text(345, 155) : ''
  const path = `${prefix === '' ? '' : `${prefix}/`}${text(0, 100)}`.replace(/^\.?\/+/, '')
  if (path.split('/').includes('..')) throw malformed('a path in it leads out of it')
  return { path, size: type === '5' ? 0 : octal(124, 12), kind: type === '5' ? 'folder' : 'file' }
}

function writeHeader(path: string, size: number): Buffer {
  const header = Buffer.alloc(blockBytes)
  const octal = (value: number, from: number, length: number) =>
    header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, from, 'latin1')
  // With the slash that OPA puts before each path.
  header.write(`/${path}`, 0, 100, 'utf8')
  octal(0o644, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(size, 124, 12)
  octal(0, 136, 12)
  header.write('0', 156, 'latin1')
  header.write('ustar\0', 257, 'latin1')
  header.write('00', 263, 'latin1')
  header.fill(0x20, 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}

const malformed = (why: string) => new BundleError('bundle-malformed', `the bundle is not a .tar.gz as OPA writes it: ${why}`)
