/**
 * Decides again what semantic-bounds decided, from what audit kept. `interlock policy replay` starts it, with its request on standard input, because
 * the rules live here: no package knows a service.
 */
import { readFileSync } from 'node:fs'
import { createClient } from '@clickhouse/client'
import {
  boundsPolicyOf,
  CliError,
  connect,
  exitCodes,
  layoutOf,
  readPolicySource,
  readStackFile,
  readTrustBundle,
} from '@interlock/cli'
import { readTopology } from '@interlock/contracts'
import { openProgramStore } from '@interlock/programs'
import { openTrustBundle } from '@interlock/trust'
import { z } from 'zod'
import { horizonMs } from './job-memory.ts'
import { devicesOf, grantChange, grantChangeSchema, profileChangeSchema } from './replay/changes.ts'
import { readHabits } from './replay/habits.ts'
import { RecordedDecisions } from './replay/recorded.ts'
import { Redecider } from './replay/redecide.ts'
import { changeReplay, verifyReplay } from './replay/replay.ts'
import { changeReport, verifyReport } from './replay/report.ts'
import { type ReplayRequest, replayRequestSchema } from './replay/request.ts'
import { TablesHistory } from './replay/tables-history.ts'

const progressMs = 2000

try {
  await replay(replayRequestSchema.parse(JSON.parse(readFileSync(0, 'utf8'))))
} catch (error) {
  if (!(error instanceof CliError)) throw error
  console.error(`interlock: ${error.message}\n  ${error.advice}`)
  process.exitCode = error.exitCode
}

async function replay({ directory, since, until, mode, json, ...files }: ReplayRequest): Promise<void> {
  const layout = layoutOf(directory)
  const stack = readStackFile(layout)
  const { codec } = await connect(stack)
  const trust = openTrustBundle(readTrustBundle(layout))
  const policy = files.policy === undefined ? undefined : boundsPolicyOf(readPolicySource(files.policy), Date.now())
  const profile = files.profile === undefined ? undefined : readChange(files.profile, profileChangeSchema)
  const grants = files.grant === undefined ? [] : readChange(files.grant, grantChangeSchema)
  const clickhouse = createClient({ ...stack.clickhouse })
  try {
    const audited = new RecordedDecisions(clickhouse, codec)
    const changes = mode === 'change' ? { policy, ...(profile && { devices: devicesOf(profile) }) } : {}
    const history = new TablesHistory(await audited.entries(), codec, trust, changes)
    const partitions = readTopology().topics.get('decisions.semantic-bounds')?.partitions ?? 0
    const asked = {
      recorded: audited.read({ since: since - horizonMs, until }),
      redecider: new Redecider({ codec, trust, partitions, programs: openProgramStore(layout.programs) }, history),
      since,
      progress: progressLine(await audited.count({ since, until })),
    }
    if (mode === 'verify') {
      const verified = await verifyReplay(asked)
      console.log(json ? JSON.stringify(verified) : verifyReport(verified))
      if (verified.reproduced !== verified.decisions) process.exitCode = exitCodes.no
      return
    }
    const changed = await changeReplay(asked, grantChange(grants))
    const habits = await readHabits(clickhouse, { since, until })
    const isChange = policy !== undefined || profile !== undefined || grants.length > 0
    console.log(json ? JSON.stringify({ ...changed, ...habits }) : changeReport(changed, habits, isChange))
  } finally {
    await clickhouse.close()
  }
}

function readChange<Schema extends z.ZodType>(file: string, schema: Schema): z.infer<Schema> {
  const read = schema.safeParse(JSON.parse(readFileSync(file, 'utf8')))
  if (read.success) return read.data
  throw new CliError('usage', `${file}: ${z.prettifyError(read.error)}`, 'Correct the file.')
}

/** A line to standard error every two seconds, so that who waits sees that it goes on. */
function progressLine(total: number): (done: number) => void {
  let said = Date.now()
  return (done) => {
    if (Date.now() < said + progressMs) return
    said = Date.now()
    console.error(`decided again: ${done} of ${total}`)
  }
}
