import { readDeviceTpm } from '@interlock/sdk/simulated-device'
import { deviceProfiles } from '@interlock/sdk/trust-domain'
import { openTransport } from '@interlock/tpm'
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { connect } from '../stack/connect.ts'
import { publishControlEntries } from '../stack/publish.ts'
import { readStackFile } from '../stack/stack-file.ts'
import { initTrustDomain } from '../trust-domain/init-trust-domain.ts'
import { defaultDirectory } from './directory.ts'

type Options = { directory: string; publish?: boolean; tpm: string[] }

export function addDevInit(dev: Command): void {
  dev
    .command('init')
    .description('make the local trust domain: keys, certificates, passkeys and signed control entries; never overwrites a key')
    .option('--directory <dir>', 'where it lies', defaultDirectory)
    .option('--tpm <device=host:port>', 'a device with the running TPM that it enrols with; may be repeated', collect, [])
    .option('--publish', 'write the control entries to the running stack')
    .action(run)
}

async function run({ directory, publish, tpm }: Options): Promise<void> {
  const devices = await Promise.all(tpm.map(enrol))
  const { layout, entries, isNew } = await initTrustDomain({ directory, devices, now: Date.now() })
  console.log(`${isNew ? 'made' : 'kept'} the trust domain in ${layout.directory}`)
  console.log(`signed ${entries.length} control entries: ${layout.controlEntries}`)
  if (publish) {
    await publishControlEntries(await connect(readStackFile(layout)), entries)
    console.log('published them')
  }
}

/** Asks the TPM itself for the key it will sign with. */
async function enrol(text: string) {
  const [, device, address] = /^([a-z0-9-]+)=([^:]+:\d+)$/.exec(text) ?? []
  if (!device || !address)
    throw new CliError('usage', `--tpm ${text} is not device=host:port`, 'Write for example --tpm laser-1=127.0.0.1:2321.')
  if (!(device in deviceProfiles))
    throw new CliError('usage', `no device ${device} here`, `There are ${Object.keys(deviceProfiles).join(', ')}.`)
  const transport = await openTransport(address)
  try {
    return { device, ...(await readDeviceTpm(transport)) }
  } finally {
    await transport.close()
  }
}

const collect = (value: string, all: string[]) => [...all, value]
