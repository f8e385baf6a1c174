import { TpmError } from '../tpm-error.ts'

/** A line to one TPM: a command goes in, its response comes out. Commands are sent one after the other. */
export interface TpmTransport {
  send(command: Buffer): Promise<Buffer>
  close(): Promise<void>
}

/** No command or response of TPM 2.0 is longer (MAX_COMMAND_SIZE, MAX_RESPONSE_SIZE). */
export const messageBytesMax = 4096
export const headerBytes = 10

/** How many bytes of a response are still to come (negative: too many came), by the length in its header. */
export function missingBytes(received: Buffer): number {
  if (received.length < headerBytes) return headerBytes - received.length
  const length = received.readUInt32BE(2)
  if (length < headerBytes || length > messageBytesMax) {
    throw new TpmError('tpm-bad-response', `a response of ${length} bytes`, { remedy: 'is this a TPM?', retriable: false })
  }
  return length - received.length
}

/** Runs one exchange at a time: a TPM answers in order, and bytes of two commands in one another's answers would be mistaken. */
export function serialised(exchange: (command: Buffer) => Promise<Buffer>): (command: Buffer) => Promise<Buffer> {
  let last: Promise<unknown> = Promise.resolve()
  return (command) => {
    const next = last.then(() => exchange(command))
    last = next.catch(() => undefined)
    return next
  }
}
