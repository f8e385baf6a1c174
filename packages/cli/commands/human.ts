import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { passkeyRegistrationSchema, signPasskeyInvitation } from '@interlock/trust'
import type { Command } from 'commander'
import { z } from 'zod'
import { CliError } from '../cli-error.ts'
import { connect } from '../stack/connect.ts'
import { publishControlEntries } from '../stack/publish.ts'
import { readRevokedKeys } from '../stack/revoked-keys.ts'
import { readStackFile } from '../stack/stack-file.ts'
import { addPasskey } from '../trust-domain/add-passkey.ts'
import { byOperator } from './by-operator.ts'
import { defaultDirectory, openLayout } from './directory.ts'
import { readJson } from './read-input.ts'

const daySeconds = 86_400

export function addHuman(program: Command): void {
  const human = program.command('human').description('who may ask and allow, and their passkeys')
  human
    .command('invite')
    .argument('<human>')
    .description('as an operator, let a human make a passkey within a day; prints the address to open')
    .option(
      '--issuer <url>',
      'the token service, by the address that the passkey shall belong to; the running stack’s unless given',
    )
    .option('--directory <dir>', 'the trust domain', defaultDirectory)
    .action(async (sub: string, { issuer, directory }: { issuer?: string; directory: string }) => {
      const { operator, audience } = byOperator(directory)
      const at = issuer ?? readStackFile(openLayout(directory)).tokenService
      if (at === undefined) throw new CliError('usage', 'no token service runs here', 'Name one with --issuer.')
      const iat = Math.floor(Date.now() / 1000)
      const claims = { iss: operator.spiffeId, aud: audience, jti: randomUUID(), iat, exp: iat + daySeconds, human: sub }
      console.log(`${at.replace(/\/$/, '')}/passkeys/new#${await signPasskeyInvitation(claims, operator)}`)
    })
  human
    .command('add-passkey')
    .description('as an operator, make a passkey that an invited human sent one of theirs')
    .requiredOption('--registration <file>', 'what the page showed; - is standard input')
    .option('--directory <dir>', 'the trust domain', defaultDirectory)
    .action(add)
}

async function add({ registration, directory }: { registration: string; directory: string }): Promise<void> {
  const read = passkeyRegistrationSchema.safeParse(readJson(registration, '--registration'))
  if (!read.success) throw new CliError('usage', `--registration: ${z.prettifyError(read.error)}`, 'It is what the page showed.')
  const layout = openLayout(directory)
  const stack = existsSync(layout.stack) ? await connect(readStackFile(layout)) : undefined
  // Where nothing runs yet, nothing was revoked.
  const isRevokedKey = stack ? await readRevokedKeys(stack, layout) : () => false
  const { human, entry } = await addPasskey(layout, read.data, Date.now(), isRevokedKey)
  console.log(`${human.sub} has ${human.credentials.length} passkeys: ${layout.trustBundle}`)
  if (!stack) return
  await publishControlEntries(stack, [entry])
  console.log('published it; devices read the trust bundle when they start')
}
