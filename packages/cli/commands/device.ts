import { readFileSync } from 'node:fs'
import { admittedBy, enrolDevice, enrolDiceDevice, readDiceIdentity } from '@interlock/sdk'
import { findTpm, openTransport, type TpmTransport } from '@interlock/tpm'
import { pemCertificates } from '@interlock/trust'
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { addDeviceSchema } from './device-schema.ts'
import { tpmOption } from './measure.ts'
import { readInput } from './read-input.ts'
import { type RegistryOptions, registryOf, withRegistry } from './registry-option.ts'

type EnrollOptions = RegistryOptions & {
  admission: string
  tpm?: string
  intermediates?: string
  eventLog?: string
  dice?: string
}

/** Where Linux shows it. */
const defaultEventLog = '/sys/kernel/security/tpm0/binary_bios_measurements'

export function addDevice(program: Command): void {
  const device = program.command('device').description('a device’s identity on this machine, and what commands it takes')
  addDeviceSchema(device)
  withRegistry(device.command('enroll'))
    .description('enrol a device as an operator admitted it: acks by its TPM or its DICE count from then on')
    .requiredOption('--admission <file>', 'what `interlock admit device` printed; - is standard input')
    .option(...tpmOption)
    .option('--intermediates <file>', 'certificates between the TPM’s and its maker’s root, PEM, where the registry has them not')
    .option('--event-log <file>', 'what the firmware measured, where the admission judges a boot by its events', defaultEventLog)
    .option(
      '--dice <file>',
      'of a device without a TPM: what its DICE handed over; JSON with chain and leafKey, for its owner alone',
    )
    .action(async ({ admission, tpm, intermediates, eventLog, dice, ...options }: EnrollOptions) => {
      const registry = registryOf(options)
      const text = readInput(admission, '--admission')
      const { subject, pcrs, isBootJudged } = admittedBy(text)
      if (dice !== undefined) {
        await enrolDiceDevice(registry, readDiceIdentity(dice), text)
        console.log(`enrolled ${subject}`)
        return
      }
      if (!pcrs) throw new CliError('usage', 'the admission is of no platform', 'Admit the device by `interlock admit device`.')
      const chain = intermediates ? pemCertificates(readInput(intermediates, '--intermediates')) : []
      const log = isBootJudged && eventLog ? { eventLog: () => readFileSync(eventLog) } : {}
      await withTpm(tpm, (transport) => enrolDevice({ registry, transport, pcrs, intermediates: chain, ...log }, text))
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
