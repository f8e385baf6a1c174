import { type RevocationEntry, revocationEntrySchema } from '@interlock/contracts'
import { type Command, InvalidArgumentError } from 'commander'
import { writeAsOperator } from '../stack/control-writer.ts'
import { defaultDirectory, openLayout } from './directory.ts'

const kinds = revocationEntrySchema.shape.kind.options

export function addRevoke(program: Command): void {
  program
    .command('revoke')
    .description('revoke for good: what was issued to it no longer counts, nor what it signed and is still on its way')
    .argument('<kind>', kinds.join(', '), (value: string) => {
      if (!(kinds as readonly string[]).includes(value)) throw new InvalidArgumentError(`It is one of ${kinds.join(', ')}.`)
      return value
    })
    .argument('<subject>', "SPIFFE ID, definition hash, certificate thumbprint, '<iss> <jti>', job, human, device or key id")
    .option('--reason <text>', 'why, for the record', 'by the operator')
    .option('--directory <dir>', 'the trust domain', defaultDirectory)
    .action(
      async (kind: RevocationEntry['kind'], subject: string, { directory, reason }: { directory: string; reason: string }) => {
        const now = Date.now()
        const entry = revocationEntrySchema.parse({ kind, subject, from: now, reason })
        await writeAsOperator(openLayout(directory), 'control.revocations', `${kind}:${subject}`, entry, now)
        console.log(`revoked: ${kind} ${subject}`)
      },
    )
}
