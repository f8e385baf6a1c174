import type { Command } from '@interlock/contracts'
import type { BoundsObligations, DelegationObligations, IdentityObligations } from '@interlock/enforcer'

export type SummaryOf = {
  readonly command: Command
  readonly identity: IdentityObligations
  readonly delegation: DelegationObligations
  readonly bounds: BoundsObligations
  readonly jobId: string
}

/**
 * What a human reads before saying yes: made from the signed command alone, in printable ASCII, so that no name can hide, reverse or imitate
 * another (ATTACKS 88).
 */
export function summaryOf({ command, identity, delegation, bounds, jobId }: SummaryOf): string {
  const parameters = Object.entries(command.parameters).map(([name, asked]) => {
    const quantity = bounds.quantities[name]
    return `${name} ${quantity ? `${quantity.value} ${quantity.unit}` : JSON.stringify(asked)}`
  })
  const { program } = command
  const lines = [
    `${command.device} is to do ${command.capability}: ${parameters.join(', ') || 'no parameters'}.`,
    ...(program ? [`It runs a program of ${program.bytes} bytes (${program.mediaType}), SHA-256 ${program.sha256}.`] : []),
    `Asked by ${identity.agent} for ${delegation.human}, in job ${jobId}. Risk: ${bounds.risk}.`,
  ]
  return inert(lines.join('\n')).slice(0, lengthMax)
}

const lengthMax = 4000

const inert = (text: string) =>
  text.replace(/[^\n\x20-\x7e]/gu, (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`)
