import { type Command, quantitySchema } from '@interlock/contracts'
import type { BoundsObligations, DelegationObligations, IdentityObligations } from '@interlock/enforcer'

export type SummaryOf = {
  readonly command: Command
  readonly identity: IdentityObligations
  readonly delegation: DelegationObligations
  readonly bounds: BoundsObligations
  readonly jobId: string
}

const lengthMax = 2000

/**
 * What a human reads before saying yes: made from the signed command alone, with nothing in it that could hide, reverse or imitate (ATTACKS
 * 88). Undefined where it would be too long to be read: nothing is left out.
 */
export function summaryOf({ command, identity, delegation, bounds, jobId }: SummaryOf): string | undefined {
  const parameters = Object.entries(command.parameters).map(([name, asked]) => `${name} ${shown(asked, bounds.quantities[name])}`)
  const { program } = command
  const sentences = [
    `${command.device} is to do ${command.capability}: ${parameters.join(', ') || 'no parameters'}.`,
    ...(program ? [`It runs a program of ${program.bytes} bytes (${program.mediaType}), SHA-256 ${program.sha256}.`] : []),
    `Asked by ${identity.agent} for ${delegation.human}, in job ${jobId}. Risk: ${bounds.risk}.`,
  ]
  const text = inert(sentences.join(' '))
  return text.length <= lengthMax ? text : undefined
}

/** As the agent asked; where the machine's unit is another, what semantic-bounds made of it too. */
function shown(asked: unknown, converted: unknown): string {
  const quantity = quantitySchema.safeParse(asked)
  if (!quantity.success) return JSON.stringify(asked)
  const text = textOf(quantity.data)
  const other = quantitySchema.safeParse(converted)
  return other.success && textOf(other.data) !== text ? `${text} (${textOf(other.data)})` : text
}

const textOf = ({ value, unit }: { value: string; unit: string }) => `${value} ${unit}`

/** Printable ASCII without what a page or a terminal may take for more than text; all else by its code point. */
const inert = (text: string) =>
  text.replace(/[^\x20-\x7e]|[<>&`\\]/gu, (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`)
