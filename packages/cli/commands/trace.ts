import { createClient } from '@clickhouse/client'
import { type DeviceEntry, refused } from '@interlock/contracts'
import { openProgramStore, type ProgramStore } from '@interlock/programs'
import { openTrustBundle, type TrustAnchors, verifyControlEntry } from '@interlock/trust'
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { exitCodes } from '../exit-codes.ts'
import { connect } from '../stack/connect.ts'
import { readStackFile } from '../stack/stack-file.ts'
import { buildTrace } from '../trace/build-trace.ts'
import type { Evidence } from '../trace/evidence.ts'
import { loadEvidence } from '../trace/load-evidence.ts'
import { pictureOf } from '../trace/program-picture.ts'
import { countChecks, renderTrace } from '../trace/render-trace.ts'
import { readTrustBundle } from '../trust-domain/trust-bundle-file.ts'
import { defaultDirectory, openLayout } from './directory.ts'
import { writePicture } from './write-picture.ts'

export function addTrace(program: Command): void {
  program
    .command('trace <intentId>')
    .description('print what became of an intent from ClickHouse, with every check done again; exit code 1 where one fails')
    .option('--svg <file>', 'write a picture of what the intent’s program does, on the machine as its entry described it')
    .option('--directory <dir>', 'the trust domain', defaultDirectory)
    .action(run)
}

async function run(intentId: string, { directory, svg }: { directory: string; svg?: string }): Promise<void> {
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
    const anchors = openTrustBundle(readTrustBundle(layout))
    const trace = await buildTrace(intentId, evidence, { anchors, codec })
    const counts = countChecks(trace)
    console.log(renderTrace(trace))
    console.log(`\n${counts.holds} checks hold, ${counts.fails} fail, ${counts.unchecked} could not be done`)
    if (svg !== undefined) writePicture(svg, await drawn(evidence, anchors, openProgramStore(layout.programs)))
    process.exitCode = counts.fails > 0 ? exitCodes.no : exitCodes.done
  } finally {
    await clickhouse.close()
  }
}

/** The first intent of that id, and the device's entry as it stood when semantic-bounds decided. */
async function drawn({ intents, decisions, controlEntries }: Evidence, anchors: TrustAnchors, store: ProgramStore) {
  const intent = intents[0]?.record
  if (!intent) return refused('no-intent')
  const decidedAt =
    decisions.find(({ record }) => record.stage === 'semantic-bounds')?.record.decidedAt ?? Number.POSITIVE_INFINITY
  const entries = controlEntries.flatMap(({ table, entry }) => {
    const verified = table === 'control.devices' ? verifyControlEntry(entry, table, anchors) : undefined
    return verified?.ok && verified.value.id === intent.device && verified.value.updatedAt <= decidedAt ? [verified.value] : []
  })
  return pictureOf(intent, entries.at(-1)?.value as DeviceEntry | undefined, store)
}
