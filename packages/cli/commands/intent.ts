import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import type { Intent, TaskTokenClaims } from '@interlock/contracts'
import { keepLargeProgram, openProgramStore } from '@interlock/programs'
import { createIntent } from '@interlock/sdk'
import { agentName, agents, type JobTokens } from '@interlock/sdk/trust-domain'
import { readTaskToken } from '@interlock/trust'
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { exitCodes } from '../exit-codes.ts'
import { submitAndWatch } from '../intent/submit-and-watch.ts'
import { connect } from '../stack/connect.ts'
import { readStackFile } from '../stack/stack-file.ts'
import { createJob, currentJob, readJobs, signingKeyOf } from '../trust-domain/jobs.ts'
import type { Layout } from '../trust-domain/layout.ts'
import { readTrustBundle } from '../trust-domain/trust-bundle-file.ts'
import { defaultDirectory, openLayout } from './directory.ts'
import { readParameters } from './parameters.ts'

type Options = {
  directory: string
  device: string
  capability: string
  program?: string
  job?: string
  as?: string
  wait: string
}

export function addIntent(program: Command): void {
  program
    .command('intent')
    .description(
      'submit an intent as an operator agent and show live what becomes of it; every other --name value is a parameter',
    )
    .requiredOption('--device <id>', 'such as laser-1')
    .requiredOption('--capability <name>', 'such as laser.cut')
    .option('--program <file>', 'the program that goes with it, such as a .ngc file')
    .option('--job <id>', 'a job of `interlock dev job`; the newest, or a new one, unless given')
    .option('--as <agent>', `who asks: ${agents.map(agentName).join(', ')}; the one whose token covers the device unless given`)
    .option('--wait <seconds>', 'how long to wait for the outcome', '120')
    .option('--directory <dir>', 'the trust domain', defaultDirectory)
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText('after', '\nExample: interlock intent --device laser-1 --capability laser.cut --power 80W --speed 20mm/s')
    .action((options: Options, command: Command) => run(options, command.args))
}

async function run(options: Options, words: readonly string[]): Promise<void> {
  const seconds = Number(options.wait)
  if (!(seconds > 0))
    throw new CliError('usage', `--wait ${options.wait} is no number of seconds`, 'Write for example --wait 60.')
  const layout = openLayout(options.directory)
  const stack = readStackFile(layout)
  const intent = await intentOf(layout, options, words)
  const outcome = await submitAndWatch(await connect(stack), intent, seconds * 1000, (line) => console.log(line))
  console.log(`\ninterlock trace ${intent.intentId}`)
  process.exitCode = outcome?.status === 'completed' ? exitCodes.done : exitCodes.no
}

async function intentOf(layout: Layout, options: Options, words: readonly string[]): Promise<Intent> {
  const now = Date.now()
  const job = options.job === undefined ? await currentJob(layout, now) : await jobNamed(layout, options.job, now)
  const agent = options.as ?? agentFor(job, options.device)
  const tokens = job.tokens[agent]
  if (!tokens)
    throw new CliError(
      'usage',
      `${job.jobId} has no tokens for ${agent}`,
      `It has them for ${Object.keys(job.tokens).join(', ')}.`,
    )
  return createIntent({
    job: job.jobId,
    device: options.device,
    capability: options.capability,
    parameters: readParameters(words),
    ...(options.program !== undefined && {
      program: await keepLargeProgram(readProgram(options.program), openProgramStore(layout.programs)),
    }),
    tokens,
    key: signingKeyOf(layout, agent),
    audience: readTrustBundle(layout).audience,
    now,
  })
}

async function jobNamed(layout: Layout, jobId: string, now: number): Promise<JobTokens> {
  return readJobs(layout).find((job) => job.jobId === jobId) ?? createJob(layout, now, jobId)
}

/** The agent whose own token covers the device; for an unknown device the laser's operator, so that the stages can say no. */
function agentFor({ tokens }: JobTokens, device: string): string {
  const covers = (claims: TaskTokenClaims) =>
    claims.authorization_details.some(({ type, locations }) => type === 'interlock_device' && locations.includes(device))
  const operators = Object.entries(tokens).filter(([, chain]) => chain.length > 1)
  const found = operators.find(([, chain]) => {
    const leaf = readTaskToken(chain.at(-1) ?? '')
    return leaf.ok && covers(leaf.value.claims)
  })
  return found?.[0] ?? 'agent-laser-operator-z1'
}

function readProgram(path: string) {
  const mediaType = ['.ngc', '.nc', '.gcode', '.tap'].includes(extname(path).toLowerCase())
    ? 'text/x-gcode'
    : 'application/octet-stream'
  try {
    return { mediaType, bytes: readFileSync(path) }
  } catch (cause) {
    throw new CliError('usage', `the program ${path} cannot be read: ${(cause as Error).message}`, 'Name a file that is there.')
  }
}
