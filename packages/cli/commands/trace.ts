import { createClient } from '@clickhouse/client'
import { openTrustBundle } from '@interlock/trust'
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { exitCodes } from '../exit-codes.ts'
import { connect } from '../stack/connect.ts'
import { readStackFile } from '../stack/stack-file.ts'
import { buildTrace } from '../trace/build-trace.ts'
import { loadEvidence } from '../trace/load-evidence.ts'
import { countChecks, renderTrace } from '../trace/render-trace.ts'
import { readTrustBundle } from '../trust-domain/trust-bundle-file.ts'
import { defaultDirectory, openLayout } from './directory.ts'

export function addTrace(program: Command): void {
  program
    .command('trace <intentId>')
    .description('print what became of an intent from ClickHouse, with every check done again; exit code 1 where one fails')
    .option('--directory <dir>', 'the trust domain', defaultDirectory)
    .action((intentId: string, { directory }: { directory: string }) => run(intentId, directory))
}

async function run(intentId: string, directory: string): Promise<void> {
  const layout = openLayout(directory)
  const stack = readStackFile(layout)
  const { codec } = await connect(stack)
  const clickhouse = createClient({ ...stack.clickhouse })
  try {
    const evidence = await loadEvidence(clickhouse, codec, intentId).catch((cause: unknown) => {
      const said = `ClickHouse at ${stack.clickhouse.url}: ${(cause as Error).message}`
      throw new CliError('unavailable', said, 'Is `npm start` still running?')
    })
    if (evidence.intents.length + evidence.decisions.length + evidence.outcomes.length === 0) {
      throw new CliError(
        'no',
        `nothing is kept of intent ${intentId}`,
        'Is the id whole? Audit writes within seconds: try again.',
      )
    }
    const trace = await buildTrace(intentId, evidence, { anchors: openTrustBundle(readTrustBundle(layout)), codec })
    const counts = countChecks(trace)
    console.log(renderTrace(trace))
    console.log(`\n${counts.holds} checks hold, ${counts.fails} fail, ${counts.unchecked} could not be done`)
    process.exitCode = counts.fails > 0 ? exitCodes.no : exitCodes.done
  } finally {
    await clickhouse.close()
  }
}
