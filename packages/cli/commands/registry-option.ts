import { type Command, Option } from 'commander'
import { CliError } from '../cli-error.ts'
import { readStackFile } from '../stack/stack-file.ts'
import { layoutOf } from '../trust-domain/layout.ts'
import { defaultDirectory } from './directory.ts'

export type RegistryOptions = { registry?: string; directory: string }

export const withRegistry = (command: Command): Command =>
  command
    .addOption(new Option('--registry <url>', 'origin of the registry; else the running stack’s').env('INTERLOCK_ENROLMENT'))
    .option('--directory <dir>', 'the trust domain of the running stack', defaultDirectory)

/** Where the registry is. @throws CliError */
export function registryOf({ registry, directory }: RegistryOptions): string {
  const url = registry ?? readStackFile(layoutOf(directory)).enrolment
  if (url && URL.canParse(url)) return new URL(url).origin
  throw new CliError('usage', `no registry: ${url ?? 'the running stack has none'}`, 'Say where it is: --registry https://…')
}
