import { readFileSync } from 'node:fs'
import { measuresOf, programEnvelope, programPicture, setupOfProfile, withinProfile } from '@interlock/bounds'
import { type Detail, deviceEntrySchema, type ProgramProfile } from '@interlock/contracts'
import { deviceProfiles } from '@interlock/sdk/trust-domain'
import type { Command } from 'commander'
import { z } from 'zod'
import { CliError } from '../cli-error.ts'
import { exitCodes } from '../exit-codes.ts'
import { readJson } from './read-input.ts'
import { writePicture } from './write-picture.ts'

type Options = { device: string; capability?: string; profile?: string; svg?: string }

export function addProgram(command: Command): void {
  command
    .command('program')
    .description('programs for machines')
    .command('check <file>')
    .description(
      'run a program to its envelope as semantic-bounds does: where it goes and what it comes to, or why it is refused; exit code 1 where it is',
    )
    .requiredOption('--device <id>', 'such as mill-1')
    .option('--capability <name>', 'of the device’s capabilities that take a program; the only one unless given')
    .option(
      '--profile <file>',
      'the device’s profile, as for `interlock admit device`; that of the local laboratory unless given',
    )
    .option('--svg <file>', 'write a picture of the path, with the machine’s limits drawn in')
    .action(check)
}

function check(file: string, options: Options) {
  const profile = profileOf(options)
  const setup = setupOfProfile(profile)
  if (!setup.ok)
    throw new CliError('usage', `the profile of ${options.device} is not whole: ${text(setup.detail)}`, 'Correct it.')
  const program = readProgram(file)
  const ran = programEnvelope(program, setup.value)
  if (!ran.ok) return refuse(`gcode-${ran.reason}`, ran.detail)
  const { axes, waits, tools, motions, steps } = ran.value
  for (const [axis, { min, max }] of Object.entries(axes)) console.log(`${axis.padEnd(10)}${min} to ${max}`)
  for (const [name, { value, unit }] of Object.entries(measuresOf(ran.value)))
    if (value !== '0') console.log(`${name.padEnd(10)}${value} ${unit}`)
  console.log(
    `${'waits'.padEnd(10)}${waits}\n${'tools'.padEnd(10)}${tools.join(', ') || 'as it is'}\n${'motions'.padEnd(10)}${motions} in ${steps} blocks`,
  )
  if (options.svg !== undefined) writePicture(options.svg, programPicture(program, setup.value))
  const within = withinProfile(ran.value, profile)
  if (!within.ok) return refuse(within.reason, within.detail)
  console.log(`within what ${options.device} allows; what a command and its grant allow is asked of the whole system`)
}

function refuse(reason: string, detail: Detail): void {
  console.log(`refused: ${reason}, ${text(detail)}`)
  process.exitCode = exitCodes.no
}

const text = (detail: Detail): string =>
  Object.entries(detail)
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ')

function readProgram(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new CliError('usage', `the program ${file} cannot be read: ${(cause as Error).message}`, 'Name a file that is there.')
  }
}

const profileSchema = z.object({ capabilities: deviceEntrySchema.shape.capabilities })

/** What the device says of programs. @throws CliError */
function profileOf({ device, capability, profile }: Options): ProgramProfile {
  const capabilities =
    profile === undefined
      ? deviceProfiles[device]?.capabilities
      : profileSchema.parse(readJson(profile, '--profile')).capabilities
  if (!capabilities)
    throw new CliError(
      'usage',
      `no device ${device} in the laboratory`,
      `There are ${Object.keys(deviceProfiles).join(', ')}; --profile names another’s file.`,
    )
  const taking = Object.entries(capabilities).filter(
    ([name, { program }]) => program && (capability === undefined || name === capability),
  )
  const [only] = taking
  if (only?.[1].program && taking.length === 1) return only[1].program
  throw new CliError(
    'usage',
    `${device} has ${taking.length} capabilities that take a program${capability === undefined ? '' : ` and are called ${capability}`}`,
    `It can ${Object.keys(capabilities).join(', ')}.`,
  )
}
