import { existsSync, readFileSync } from 'node:fs'
import { replacePrivateFile } from '@interlock/sdk/private-file'
import { z } from 'zod'
import { CliError } from '../cli-error.ts'
import type { Layout } from '../trust-domain/layout.ts'

/** Where the parts of a running stack are: written by what starts it, read by every command that talks to it. */
export const stackSchema = z.object({
  /** host:port */
  kafka: z.string().min(1),
  /** URL of the schema registry's Confluent API. */
  registry: z.url(),
  /** Issuer URL of the token service, where one runs. */
  tokenService: z.url().optional(),
  /** Origin of the agent identity registry, where one runs. */
  enrolment: z.url().optional(),
  clickhouse: z.object({ url: z.url(), username: z.string(), password: z.string(), database: z.string() }),
})
export type StackFile = z.infer<typeof stackSchema>

export function writeStackFile(layout: Layout, stack: StackFile): void {
  replacePrivateFile(layout.stack, `${JSON.stringify(stack, null, 2)}\n`)
}

/** @throws CliError where no stack was started from this directory. */
export function readStackFile(layout: Layout): StackFile {
  const advice = 'Run `npm start` and leave it running, or name its directory with --directory.'
  if (!existsSync(layout.stack))
    throw new CliError('unavailable', `no stack was started here: ${layout.stack} is not there`, advice)
  const parsed = stackSchema.safeParse(JSON.parse(readFileSync(layout.stack, 'utf8')))
  if (parsed.success) return parsed.data
  throw new CliError('config', `${layout.stack}: ${z.prettifyError(parsed.error)}`, advice)
}
