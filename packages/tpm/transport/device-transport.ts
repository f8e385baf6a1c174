import { open } from 'node:fs/promises'
import { TpmError } from '../tpm-error.ts'
import { messageBytesMax, missingBytes, serialised, type TpmTransport } from './transport.ts'

/** The kernel's resource manager: every opening has its own objects, and they end with it. */
export const resourceManagerPath = '/dev/tpmrm0'

/** Opens a TPM device file. A command is one write, its response one read; the kernel bounds how long a command may take. */
export async function openDeviceTransport(path: string = resourceManagerPath): Promise<TpmTransport> {
  const file = await open(path, 'r+').catch((cause: unknown) => {
    const remedy = 'is there a TPM, and may this user (group tss) open it?'
    throw new TpmError('tpm-unreachable', `${path} does not open`, { remedy, retriable: false, cause })
  })

  async function exchange(command: Buffer): Promise<Buffer> {
    await file.write(command)
    const response = Buffer.alloc(messageBytesMax)
    const { bytesRead } = await file.read(response, 0, messageBytesMax, null)
    if (missingBytes(response.subarray(0, bytesRead)) !== 0) {
      throw new TpmError('tpm-bad-response', `${path} answered ${bytesRead} bytes`, {
        remedy: 'open the transport anew',
        retriable: true,
      })
    }
    return response.subarray(0, bytesRead)
  }

  return { send: serialised(exchange), close: () => file.close() }
}
