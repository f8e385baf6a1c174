import { admittedBy, enrolDevice } from '@interlock/sdk'
import { findTpm, openTransport, type TpmTransport } from '@interlock/tpm'
import { pemCertificates } from '@interlock/trust'
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { tpmOption } from './measure.ts'
import { readInput } from './read-input.ts'
import { type RegistryOptions, registryOf, withRegistry } from './registry-option.ts'

type EnrollOptions = RegistryOptions & { admission: string; tpm?: string; intermediates?: string }

export function addDevice(program: Command): void {
  const device = program.command('device').description('a device’s identity on this machine')
  withRegistry(device.command('enroll'))
    .description('enrol a device as an operator admitted it: its TPM’s acks count from then on')
    .requiredOption('--admission <file>', 'what `interlock admit device` printed; - is standard input')
    .option(...tpmOption)
    .option('--intermediates <file>', 'certificates between the TPM’s and its maker’s root, PEM, where the registry has them not')
    .action(async ({ admission, tpm, intermediates, ...options }: EnrollOptions) => {
      const registry = registryOf(options)
      const text = readInput(admission, '--admission')
      const { subject, pcrs } = admittedBy(text)
      if (!pcrs) throw new CliError('usage', 'the admission is of no platform', 'Admit the device by `interlock admit device`.')
      const chain = intermediates ? pemCertificates(readInput(intermediates, '--intermediates')) : []
      await withTpm(tpm, (transport) => enrolDevice({ registry, transport, pcrs, intermediates: chain }, text))
      console.log(`enrolled ${subject}`)
    })
}

async function withTpm<Value>(where: string | undefined, work: (transport: TpmTransport) => Promise<Value>): Promise<Value> {
  const transport = await openTransport(where ?? findTpm())
  try {
    return await work(transport)
  } finally {
    await transport.close()
  }
}
