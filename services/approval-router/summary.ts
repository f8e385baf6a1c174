import type { Command } from '@interlock/contracts'
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
  const parameters = Object.entries(command.parameters).map(([name, asked]) => {
    const quantity = Object.hasOwn(bounds.quantities, name) ? bounds.quantities[name] : undefined
    return `${name} ${quantity ? `${quantity.value} ${quantity.unit}` : (JSON.stringify(asked) ?? 'nothing')}`
  })
  const { program } = command
  const sentences = [
    `${command.device} is to do ${command.capability}: ${parameters.join(', ') || 'no parameters'}.`,
    ...(program ? [`It runs a program of ${program.bytes} bytes (${program.mediaType}), SHA-256 ${program.sha256}.`] : []),
    `Asked by ${identity.agent} for ${delegation.human}, in job ${jobId}. Risk: ${bounds.risk}.`,
  ]
  const text = inert(sentences.join(' '))
  return text.length <= lengthMax ? text : undefined
}

/** Printable ASCII without what a page or a terminal may take for more than text; all else by its code point. */
const inert = (text: string) =>
  text.replace(/[^\x20-\x7e]|[<>&`\\]/gu, (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`)
