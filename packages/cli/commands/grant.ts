import type { AskedGrant } from '@interlock/contracts'
import { consentToGrant, readGrantRequest, refuseGrant } from '@interlock/sdk'
import type { Command } from 'commander'
import { defaultDirectory, openLayout } from './directory.ts'
import { passkeyOf } from './passkey-of.ts'

const uri = ['<uri>', 'the address that the orchestrator shows: https://…/grants/CODE'] as const

export function addGrant(program: Command): void {
  const grant = program.command('grant').description('answer an orchestrator that asks for a job or a standing grant')
  grant
    .command('show')
    .argument(...uri)
    .description('what is asked')
    .action(async (address: string) => console.log(describeGrant(await readGrantRequest(address))))
  grant
    .command('allow')
    .argument(...uri)
    .description('print what is asked and sign it with a software passkey; in a browser the address itself asks a real one')
    .requiredOption('--as <human>', 'who signs')
    .option('--directory <dir>', 'the trust domain', defaultDirectory)
    .action(allow)
  grant
    .command('refuse')
    .argument(...uri)
    .description('say no')
    .action(async (address: string) => {
      await refuseGrant(address)
      console.log('refused')
    })
}

async function allow(address: string, { as, directory }: { as: string; directory: string }): Promise<void> {
  const layout = openLayout(directory)
  const passkey = passkeyOf(layout, as)
  const asked = await readGrantRequest(address)
  console.log(describeGrant(asked))
  await consentToGrant(address, asked, passkey)
  console.log(`\n${as} allowed it, signed with passkey ${passkey.credentialId.slice(0, 8)}…`)
}

/** Who asks whom for what; what others wrote moves no cursor. */
export function describeGrant({ kind, human, orchestrator, summary, until, mayDelegateTo }: AskedGrant): string {
  const lines = [
    `${orchestrator} asks ${human} for a ${kind === 'grant' ? 'job' : 'standing grant'}, until ${new Date(until).toISOString()}`,
    ...summary.split('\n').map((line) => `  ${line}`),
    `  may pass it on to ${mayDelegateTo.join(', ') || 'nobody'}`,
  ]
  return lines.map((line) => line.replace(/[\p{Cc}\p{Cf}]/gu, '�')).join('\n')
}
