import { createHash } from 'node:crypto'
import {
  accepted,
  type Command,
  type CommandDigest,
  commandSchema,
  type Intent,
  type Result,
  refused,
} from '@interlock/contracts'
import { parseCanonical } from './canonical.ts'
import { digest } from './digest.ts'

export type CommandReason = 'command-not-canonical' | 'command-malformed' | 'command-mismatch' | 'program-mismatch'

/**
 * What is asked, from the signed bytes alone: the record's flat fields must say the same, and an inline program must be the one named. A program that
 * is not inline lies in the store of programs, where its digest finds it: whoever runs it compares the digest.
 */
export function readCommand(intent: Intent): Result<{ command: Command; commandDigest: CommandDigest }, CommandReason> {
  const parsed = parseCanonical(intent.command, { bytesMax: 65_536, depthMax: 8 })
  if (!parsed.ok) return refused('command-not-canonical', { cause: parsed.reason })
  const command = commandSchema.safeParse(parsed.value)
  if (!command.success) return refused('command-malformed', { at: command.error.issues[0]?.path.join('.') ?? '' })
  const { device, capability, program } = command.data
  if (device !== intent.device || capability !== intent.capability) return refused('command-mismatch', { device, capability })
  if (!program && intent.program) return refused('program-mismatch', { inline: true })
  if (program && intent.program) {
    const sha256 = createHash('sha256').update(intent.program).digest('base64url')
    if (sha256 !== program.sha256 || intent.program.length !== program.bytes)
      return refused('program-mismatch', { sha256, bytes: intent.program.length })
  }
  return accepted({ command: command.data, commandDigest: digest(intent.command) as CommandDigest })
}
