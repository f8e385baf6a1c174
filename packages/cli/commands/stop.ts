import { stopEntrySchema } from '@interlock/contracts'
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { writeAsOperator } from '../stack/control-writer.ts'
import { defaultDirectory, openLayout } from './directory.ts'

const scopes = ['all', 'job', 'agent', 'device'] as const
type Scope = (typeof scopes)[number]
type Options = { directory: string; reason: string }

export function addStop(program: Command): void {
  const stop = program.command('stop').description('stop everything, or a job, an agent or a device; holds until it is lifted')
  for (const scope of scopes) addScope(stop, scope, 'stopped')
  const lift = stop.command('lift').description('lift a stop; what was decided before the lift never runs')
  for (const scope of scopes) addScope(lift, scope, 'lifted')
}

function addScope(parent: Command, scope: Scope, state: 'stopped' | 'lifted'): void {
  const command = parent.command(scope === 'all' ? 'all' : `${scope} <subject>`)
  command
    .description(scope === 'all' ? 'everything' : `one ${scope}${scope === 'agent' ? ', by its SPIFFE ID' : ''}`)
    .option('--reason <text>', 'why, for the record', 'by the operator')
    .option('--directory <dir>', 'the trust domain', defaultDirectory)
    .action((...parameters: unknown[]) => {
      const subject = scope === 'all' ? '' : (parameters[0] as string)
      return run(scope, subject, state, command.opts<Options>())
    })
}

async function run(scope: Scope, subject: string, state: 'stopped' | 'lifted', { directory, reason }: Options): Promise<void> {
  const now = Date.now()
  const entry = stopEntrySchema.safeParse({ scope, subject, state, changedAt: now, reason })
  if (!entry.success) throw new CliError('usage', 'the subject or the reason is too long', 'Shorten it.')
  await writeAsOperator(openLayout(directory), 'control.stops', `${scope}:${subject}`, entry.data, now)
  console.log(`${state}: ${scope}${subject ? ` ${subject}` : ''}`)
  if (state === 'stopped') console.log(`lift it with: interlock stop lift ${scope}${subject ? ` ${subject}` : ''}`)
}
