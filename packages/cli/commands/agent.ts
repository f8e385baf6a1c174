import { homedir } from 'node:os'
import { join } from 'node:path'
import { enrolProfile, openAgent } from '@interlock/sdk'
import { findTpm } from '@interlock/tpm'
import { pemCertificates } from '@interlock/trust'
import type { Command } from 'commander'
import { tpmOption } from './measure.ts'
import { readInput } from './read-input.ts'
import { type RegistryOptions, registryOf, withRegistry } from './registry-option.ts'

type Options = RegistryOptions & { admission: string; profile: string; tpm?: string; intermediates?: string }

const defaultProfile = join(homedir(), '.interlock', 'agent')
const profileOption = ['--profile <dir>', 'where its profile lies', defaultProfile] as const

export function addAgent(program: Command): void {
  const agent = program.command('agent').description('an agent’s identity on this machine')
  withRegistry(agent.command('enroll'))
    .description('enrol an agent as an operator admitted it, and write its profile; the SDK’s openAgent does the rest')
    .requiredOption('--admission <file>', 'what `interlock admit agent` printed; - is standard input')
    .option(...tpmOption)
    .option('--intermediates <file>', 'certificates between the TPM’s and its maker’s root, PEM, where the registry has them not')
    .option(...profileOption)
    .action(async ({ admission, profile, tpm, intermediates, ...options }: Options) => {
      const subject = await enrolProfile({
        directory: profile,
        registry: registryOf(options),
        admission: readInput(admission, '--admission'),
        findTpm: () => tpm ?? findTpm(),
        ...(intermediates && { intermediates: pemCertificates(readInput(intermediates, '--intermediates')) }),
      })
      console.log(`enrolled ${subject}\nprofile: ${profile}\nin its program: const agent = await openAgent('${profile}')`)
    })
  agent
    .command('show')
    .description('who the profile says it is, and until when; renewed where it is past half of its life')
    .option(...profileOption)
    .action(async ({ profile }: { profile: string }) => {
      const opened = await openAgent(profile)
      try {
        console.log(`${opened.key.spiffeId}\ncertificate ${opened.key.keyId}, until ${new Date(opened.until).toISOString()}`)
      } finally {
        await opened.close()
      }
    })
}
