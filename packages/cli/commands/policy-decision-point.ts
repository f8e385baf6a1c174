import { policyEntrySchema } from '@interlock/contracts'
import { type Command, InvalidArgumentError } from 'commander'
import { z } from 'zod'
import { CliError } from '../cli-error.ts'
import { requireDecisionPoint } from '../policy/push-policy.ts'
import { writeAsOperator } from '../stack/control-writer.ts'
import { defaultDirectory, openLayout } from './directory.ts'

type Options = { directory: string; timeout: number }

export function addPolicyDecisionPoint(policy: Command): void {
  const point = policy.command('decision-point').description('whom semantic-bounds asks before it allows (AuthZEN 1.0)')
  point
    .command('set <url>')
    .description('its access evaluation endpoint; from then on nothing is allowed without its yes')
    .option('--timeout <milliseconds>', 'how long an answer may take', millisecondsOf, 500)
    .option('--directory <dir>', 'the trust domain', defaultDirectory)
    .action((url: string, options: Options) => write(url, 'active', options))
  point
    .command('retire <url>')
    .description('ask it no longer')
    .option('--directory <dir>', 'the trust domain', defaultDirectory)
    .action((url: string, options: Omit<Options, 'timeout'>) => write(url, 'retired', { ...options, timeout: 500 }))
}

async function write(url: string, state: 'active' | 'retired', { directory, timeout: timeoutMs }: Options): Promise<void> {
  const now = Date.now()
  const entry = policyEntrySchema.safeParse({ kind: 'decision-point', revision: String(now), state, url, timeoutMs })
  if (!entry.success) throw new CliError('usage', z.prettifyError(entry.error), 'Name its URL as its metadata has it.')
  const layout = openLayout(directory)
  // The policy says that it is required only while there is one: in between nothing would be allowed.
  if (state === 'retired') await requireDecisionPoint(layout, false, now)
  await writeAsOperator(layout, 'control.policies', 'decision-point', entry.data, now)
  if (state === 'active') await requireDecisionPoint(layout, true, now)
  console.log(state === 'active' ? `asked from now on: ${url}` : `no longer asked: ${url}`)
}

function millisecondsOf(text: string): number {
  if (/^\d{2,4}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It is a number of milliseconds, 10 to 5000.')
}
