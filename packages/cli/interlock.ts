import { Command, CommanderError } from 'commander'
import { CliError } from './cli-error.ts'
import { addAdmit } from './commands/admit.ts'
import { addAgent } from './commands/agent.ts'
import { addApprove } from './commands/approve.ts'
import { addDefinition } from './commands/definition.ts'
import { addDevInit } from './commands/dev-init.ts'
import { addDevJob } from './commands/dev-job.ts'
import { addDevice } from './commands/device.ts'
import { addGrant } from './commands/grant.ts'
import { addHuman } from './commands/human.ts'
import { addIntent } from './commands/intent.ts'
import { addMeasure } from './commands/measure.ts'
import { addPolicy } from './commands/policy.ts'
import { addProgram } from './commands/program.ts'
import { addRevoke } from './commands/revoke.ts'
import { addStanding } from './commands/standing.ts'
import { addStop } from './commands/stop.ts'
import { addTopics } from './commands/topics.ts'
import { addTrace } from './commands/trace.ts'
import { exitCodes } from './exit-codes.ts'

const program = new Command('interlock')
  .description('Nothing moves unless five independent services allowed it.')
  .showHelpAfterError('(interlock --help says more)')
  .exitOverride()

const dev = program.command('dev').description('the local trust domain')
addDevInit(dev)
addDevJob(dev)
addIntent(program)
addGrant(program)
addStanding(program)
addHuman(program)
addApprove(program)
addStop(program)
addRevoke(program)
addTrace(program)
addDefinition(program)
addMeasure(program)
addAdmit(program)
addAgent(program)
addDevice(program)
addPolicy(program)
addTopics(program)
addProgram(program)

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = report(error)
}

/** What the user can mend is said in two lines; anything else is a bug and keeps its stack. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
  if (error instanceof CliError) {
    console.error(`interlock: ${error.message}\n  ${error.advice}`)
    return error.exitCode
  }
  const known = error as { message?: string; code?: string; retriable?: boolean }
  if (typeof known.code === 'string' && typeof known.retriable === 'boolean') {
    console.error(`interlock: ${known.message} (${known.code})`)
    return known.retriable ? exitCodes.unavailable : exitCodes.config
  }
  console.error(error)
  return exitCodes.config
}
