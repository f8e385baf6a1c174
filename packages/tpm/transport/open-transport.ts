import { existsSync } from 'node:fs'
import { TpmError } from '../tpm-error.ts'
import { openDeviceTransport, resourceManagerPath } from './device-transport.ts'
import { openSocketTransport } from './socket-transport.ts'
import type { TpmTransport } from './transport.ts'

/** Opens the TPM at `where`: host:port of a software TPM, or the path of a device file. @throws TpmError */
export function openTransport(where: string): Promise<TpmTransport> {
  const [, host, port] = /^([^/:]+):(\d{1,5})$/.exec(where) ?? []
  return host && port ? openSocketTransport({ host, port: Number(port) }) : openDeviceTransport(where)
}

/** Where this machine's own TPM is. @throws TpmError where there is none */
export function findTpm(): string {
  if (existsSync(resourceManagerPath)) return resourceManagerPath
  throw new TpmError('tpm-unreachable', `this machine has no ${resourceManagerPath}`, {
    remedy: 'switch its TPM on in the firmware, or say where it is',
    retriable: false,
  })
}
