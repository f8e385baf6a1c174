import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Command, InvalidArgumentError } from 'commander'
import { CliError } from '../cli-error.ts'
import { exitCodes } from '../exit-codes.ts'
import { defaultDirectory, openLayout } from './directory.ts'

type Options = {
  directory: string
  since: number
  until?: number
  policy?: string
  profile?: string
  grant?: string
  verify?: boolean
  json?: boolean
}

/** The stage's own program: rules are decided by where they live, and packages know no service but by this one name. */
const program = fileURLToPath(new URL('../../../services/semantic-bounds/replay-main.ts', import.meta.url))

export function addPolicyReplay(policy: Command): void {
  policy
    .command('replay')
    .description('decide again what was decided, from ClickHouse: under a changed policy, profile or grant, or as it was')
    .requiredOption('--since <time>', 'ISO 8601, or how long ago: 90m, 12h, 7d', timeOf)
    .option('--until <time>', 'the same; now where left out', timeOf)
    .option('--policy <file>', 'Rego, a folder of it, or a bundle')
    .option('--profile <file>', 'JSON: a device and the members of its control.devices entry that would be others')
    .option('--grant <file>', 'JSON: authorization details in the place of those granted')
    .option('--verify', 'compare each decision, byte for byte, with what was signed; exit code 1 where one differs')
    .option('--json', 'one JSON object')
    .option('--directory <dir>', 'the trust domain', defaultDirectory)
    .action(run)
}

async function run({ directory, since, until, policy, profile, grant, verify, json }: Options): Promise<void> {
  if (verify && (policy ?? profile ?? grant) !== undefined)
    throw new CliError('usage', '--verify decides as it was decided then', 'Leave out --policy, --profile and --grant.')
  openLayout(directory)
  const files = Object.entries({ policy, profile, grant }).flatMap(([name, file]) =>
    file === undefined ? [] : [[name, resolve(file)]],
  )
  const request = {
    ...{ directory: resolve(directory), since, until: until ?? Date.now() },
    ...{ mode: verify ? 'verify' : 'change', ...Object.fromEntries(files), json: json === true },
  }
  const child = spawn(process.execPath, ['--disable-warning=TimeoutNegativeWarning', program], {
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  child.stdin.end(JSON.stringify(request))
  process.exitCode = await new Promise<number>((done) => child.once('close', (code) => done(code ?? exitCodes.unavailable)))
}

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function timeOf(text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const time = count && unit ? Date.now() - Number(count) * (units[unit] ?? 0) : Date.parse(text)
  if (Number.isFinite(time) && time >= 0) return time
  throw new InvalidArgumentError('It is a time such as 2026-11-25T12:00:00Z, or how long ago: 90m, 12h, 7d.')
}
