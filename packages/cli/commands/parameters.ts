import type { Quantity } from '@interlock/contracts'
import { CliError } from '../cli-error.ts'

/**
 * Parameters from what is left of a command line: `--power 80W --speed 20mm/s --assistGas air`. A value that begins with a digit
 * or a sign is a quantity and needs its unit; the digits go on as they were typed.
 */
export function readParameters(words: readonly string[]): Record<string, Quantity | string> {
  const parameters: Record<string, Quantity | string> = {}
  for (let at = 0; at < words.length; at++) {
    const [, name, inline] = /^--([a-zA-Z][a-zA-Z0-9]{0,63})(?:=(.*))?$/.exec(words[at] as string) ?? []
    if (!name)
      throw new CliError('usage', `'${words[at]}' is no parameter`, 'Write parameters as --name value, such as --power 80W.')
    const value = inline ?? words[++at]
    if (value === undefined) throw new CliError('usage', `--${name} has no value`, `Write one, such as --${name} 80W.`)
    if (name in parameters) throw new CliError('usage', `--${name} is given twice`, 'Give each parameter once.')
    parameters[name] = readValue(name, value)
  }
  return parameters
}

function readValue(name: string, text: string): Quantity | string {
  if (!/^[-+.\d]/.test(text)) return text
  const [, value, unit] = /^([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*([^\s\d.]\S*)$/.exec(text) ?? []
  if (value && unit) return { value, unit }
  throw new CliError(
    'usage',
    `--${name} ${text} has no unit`,
    `Write the UCUM unit behind the number, such as --${name} 80W or 20mm/s.`,
  )
}
