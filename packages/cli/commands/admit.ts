import { admit, admitFederatedAgent } from '@interlock/sdk'
import { type Admission, admittedDeviceSchema, diceReferenceSchema, platformReferenceSchema } from '@interlock/trust'
import { type Command, InvalidArgumentError } from 'commander'
import { z } from 'zod'
import { CliError } from '../cli-error.ts'
import { readTrustBundle } from '../trust-domain/trust-bundle-file.ts'
import { byOperator } from './by-operator.ts'
import { defaultDirectory, openLayout } from './directory.ts'
import { readJson } from './read-input.ts'
import { type RegistryOptions, registryOf, withRegistry } from './registry-option.ts'

type AgentOptions = { platform?: string; minutes: number; directory: string }
type DeviceOptions = { platform?: string; dice?: string; profile: string; minutes: number; directory: string }

const platformOption = ['--platform <file>', 'what `interlock measure` printed there; - is standard input'] as const

export function addAdmit(program: Command): void {
  const command = program
    .command('admit')
    .description('as an operator, let an agent or a device enrol once; prints the admission')
  command
    .command('agent')
    .argument('<spiffe-id>', 'spiffe://<trust domain>/agent/<definition>/<instance>')
    .description('an agent: on the TPM of --platform, or as software, which most devices refuse')
    .option(...platformOption)
    .option(...minutesOption)
    .option('--directory <dir>', 'the trust domain', defaultDirectory)
    .action(async (subject: string, { platform, minutes, directory }: AgentOptions) => {
      const reference = platform === undefined ? {} : { platform: read(platform, '--platform', platformReferenceSchema) }
      await print({ subject, ...reference }, directory, minutes)
    })
  command
    .command('device')
    .argument('<name>')
    .description('a device, by the TPM or by the DICE in it')
    .option(...platformOption)
    .option('--dice <file>', 'of a device without a TPM: the key of its secret, and what each layer must be; JSON')
    .requiredOption('--profile <file>', 'what it is, can do and demands: JSON, as packages/cli/README.md says')
    .option(...minutesOption)
    .option('--directory <dir>', 'the trust domain', defaultDirectory)
    .action(async (name: string, { platform, dice, profile, minutes, directory }: DeviceOptions) => {
      const subject = `spiffe://${readTrustBundle(openLayout(directory)).trustDomain}/device/${name}`
      const own = { device: name, spiffeId: subject, state: 'active' }
      const device = read(
        profile,
        '--profile',
        z
          .looseObject({})
          .transform((text) => ({ ...text, ...own }))
          .pipe(admittedDeviceSchema),
      )
      await print({ subject, ...referenceOf(platform, dice), device }, directory, minutes)
    })
  withRegistry(command.command('federated'))
    .argument('<spiffe-id>', 'of an agent of a federated trust domain')
    .description('let a partner’s agent count as one of our definitions, at once; end it with `interlock revoke agent`')
    .requiredOption('--definition <name>', 'what it counts as: its owner answers for it')
    .action(async (subject: string, { definition, ...options }: RegistryOptions & { definition: string }) => {
      await admitFederatedAgent(registryOf(options), { subject, definition }, byOperator(options.directory))
      console.log(`${subject} counts as ${definition}`)
    })
}

/** A device is known by one of the two. @throws CliError */
function referenceOf(platform: string | undefined, dice: string | undefined): Pick<Admission, 'platform' | 'dice'> {
  if (platform !== undefined && dice === undefined) return { platform: read(platform, '--platform', platformReferenceSchema) }
  if (dice !== undefined && platform === undefined) return { dice: read(dice, '--dice', diceReferenceSchema) }
  throw new CliError('usage', 'a device is admitted by its TPM or by its DICE', 'Give --platform or --dice, one of them.')
}

const minutesOption = ['--minutes <n>', 'how long it waits for the enrolment, a day at most', minutesOf, 10] as const

function minutesOf(text: string): number {
  const minutes = Number(text)
  if (Number.isInteger(minutes) && minutes >= 1 && minutes <= 1440) return minutes
  throw new InvalidArgumentError('It is a whole number of minutes from 1 to 1440.')
}

/** @throws CliError where the file is not what it should be */
function read<Value>(file: string, what: string, schema: z.ZodType<Value>): Value {
  const value = schema.safeParse(readJson(file, what))
  if (value.success) return value.data
  throw new CliError('usage', `${what}: ${z.prettifyError(value.error)}`, 'Correct the file; packages/cli/README.md shows one.')
}

async function print(
  admitted: Pick<Admission, 'subject' | 'platform' | 'dice' | 'device'>,
  directory: string,
  minutes: number,
): Promise<void> {
  console.log(await admit(admitted, byOperator(directory), minutes * 60))
}
