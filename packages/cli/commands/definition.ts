import { type AgentDefinition, agentDefinitionSchema } from '@interlock/contracts'
import { orderDefinition, type RegisteredDefinition, readDefinition } from '@interlock/sdk'
import { type Command, InvalidArgumentError } from 'commander'
import { z } from 'zod'
import { CliError } from '../cli-error.ts'
import { exitCodes } from '../exit-codes.ts'
import { byOperator } from './by-operator.ts'
import { readJson } from './read-input.ts'
import { type RegistryOptions, registryOf, withRegistry } from './registry-option.ts'

type State = AgentDefinition['state']
const states = agentDefinitionSchema.shape.state.options

export function addDefinition(program: Command): void {
  const definition = program
    .command('definition')
    .description('what an agent is: its model, prompt, tools and version, and who answers for it')
  withRegistry(definition.command('register'))
    .argument('<name>')
    .description('as an operator, register it; a changed one replaces the one before, whose certificates then stop working')
    .requiredOption('--file <file>', 'JSON: modelDigest, systemPrompt, toolManifest, version, subAgents; - is standard input')
    .option('--owner <human>', 'who answers for it; a new one must have one')
    .option('--state <state>', states.join(', '), stateOf, 'active' as State)
    .action(
      async (
        name: string,
        { file, owner, state, ...options }: RegistryOptions & { file: string; owner?: string; state: State },
      ) => {
        const text = agentDefinitionSchema.shape.definition.safeParse(readJson(file, '--file'))
        if (!text.success) throw new CliError('usage', `--file: ${z.prettifyError(text.error)}`, 'Correct the file.')
        await order({ name, definition: text.data, state, ...(owner !== undefined && { owner }) }, options)
      },
    )
  withRegistry(definition.command('state'))
    .argument('<name>')
    .argument('<state>', states.join(', '), stateOf)
    .description('as an operator, suspend it, make it active, or retire it')
    .action((name: string, state: State, options: RegistryOptions) => order({ name, state }, options))
  withRegistry(definition.command('show'))
    .argument('<name>')
    .description('what is registered')
    .action(async (name: string, options: RegistryOptions) => {
      const found = await readDefinition(registryOf(options), name)
      if (found) return print(found)
      console.log(`nothing is registered as ${name}`)
      process.exitCode = exitCodes.no
    })
}

async function order(change: Parameters<typeof orderDefinition>[1], options: RegistryOptions): Promise<void> {
  print(await orderDefinition(registryOf(options), change, byOperator(options.directory)))
}

const print = ({ name, hash, owner, state }: RegisteredDefinition): void =>
  console.log(`${name} ${state}, hash ${hash}, owner ${owner}`)

function stateOf(text: string): State {
  const state = states.find((one) => one === text)
  if (state) return state
  throw new InvalidArgumentError(`It is one of ${states.join(', ')}.`)
}
