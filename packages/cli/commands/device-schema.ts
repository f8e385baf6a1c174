import { capabilitySchema } from '@interlock/bounds'
import { ControlFold, readControlTables } from '@interlock/sdk'
import { openTrustBundle } from '@interlock/trust'
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { connect } from '../stack/connect.ts'
import { readStackFile } from '../stack/stack-file.ts'
import { readTrustBundle } from '../trust-domain/trust-bundle-file.ts'
import { defaultDirectory, openLayout } from './directory.ts'

export function addDeviceSchema(device: Command): void {
  device
    .command('schema <device> <capability>')
    .description('print the JSON Schema of a command, from the device’s signed profile: for who has to form one')
    .option('--directory <dir>', 'the trust domain', defaultDirectory)
    .action((id: string, capability: string, { directory }: { directory: string }) => run(id, capability, directory))
}

async function run(id: string, capability: string, directory: string): Promise<void> {
  const layout = openLayout(directory)
  const { kafka, codec } = await connect(readStackFile(layout))
  const fold = new ControlFold(codec, openTrustBundle(readTrustBundle(layout)))
  const reader = await readControlTables(kafka, 'interlock-cli', ['control.devices', 'control.revocations'], fold, {
    change: () => {},
    // Entries that nobody signed for say nothing of a device.
    ignored: () => {},
    crash: (error) => {
      throw error
    },
  })
  await reader.stop()
  const devices = fold.table('control.devices')
  const profile = devices.get(id)
  if (!profile) throw new CliError('no', `control.devices has no ${id}`, `It has ${[...devices.keys()].join(', ') || 'none'}.`)
  const schema = capabilitySchema(profile, capability)
  if (schema === undefined)
    throw new CliError('no', `${id} cannot do ${capability}`, `It can do ${Object.keys(profile.capabilities).join(', ')}.`)
  console.log(JSON.stringify(schema, null, 2))
}
