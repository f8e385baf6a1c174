import type { Codec, IssuedToken, RevocationEntry } from '@interlock/contracts'
import { ControlFold } from '@interlock/sdk'
import { openTrustBundle, readStandingRecord, type StandingRecord } from '@interlock/trust'
import type { Command } from 'commander'
import { connect } from '../stack/connect.ts'
import { writeAsOperator } from '../stack/control-writer.ts'
import { readAll } from '../stack/follow.ts'
import { readStackFile } from '../stack/stack-file.ts'
import { readTrustBundle } from '../trust-domain/trust-bundle-file.ts'
import { defaultDirectory, openLayout } from './directory.ts'
import { describeGrant } from './grant.ts'

export function addStanding(program: Command): void {
  const standing = program
    .command('standing')
    .description('standing grants: signed once, for jobs that begin while nobody is there')
  standing
    .command('list')
    .description('those whose time is not over, and how many jobs have begun under each')
    .option('--directory <dir>', 'the trust domain', defaultDirectory)
    .action(({ directory }: { directory: string }) => list(directory))
  standing
    .command('end')
    .argument('<id>', 'as `interlock standing list` prints it')
    .description('as an operator, end one for good, and its jobs with it')
    .option('--reason <text>', 'why, for the record', 'by the operator')
    .option('--directory <dir>', 'the trust domain', defaultDirectory)
    .action(async (id: string, { directory, reason }: { directory: string; reason: string }) => {
      const now = Date.now()
      const entry: RevocationEntry = { kind: 'standing-grant', subject: id, from: now, reason }
      await writeAsOperator(openLayout(directory), 'control.revocations', `standing-grant:${id}`, entry, now)
      console.log(`ended: standing grant ${id}`)
    })
}

async function list(directory: string): Promise<void> {
  const layout = openLayout(directory)
  const { kafka, codec } = await connect(readStackFile(layout))
  const fold = new ControlFold(codec, openTrustBundle(readTrustBundle(layout)))
  const records: StandingRecord[] = []
  await readAll(kafka, ['tokens', 'control.revocations'], ({ topic, value }) => {
    if (topic === 'control.revocations') fold.take(topic, value)
    else records.push(...standingRecordIn(value, codec))
  })
  const now = Date.now()
  const grants = livingGrants(records, now)
  if (grants.length === 0) console.log('none')
  for (const { id, grant, jobs } of grants) {
    const ended = fold.table('control.revocations').get(`standing-grant:${id}`)
    const state = ended && ended.from <= now ? `ended: ${ended.reason.replace(/[\p{Cc}\p{Cf}]/gu, '�')}` : 'stands'
    console.log(`${id}, ${state}; ${jobs} of ${grant.jobsMax} jobs have begun\n${describeGrant(grant)}\n`)
  }
}

function standingRecordIn(value: Buffer, codec: Codec): StandingRecord[] {
  const decoded = codec.decode('tokens', value, 'IssuedToken')
  const record = decoded.ok ? readStandingRecord((decoded.value satisfies IssuedToken).signingInput) : undefined
  return record ? [record] : []
}

/** One of each, with the number of its jobs: a job has several tokens, and is counted once. */
export function livingGrants(records: readonly StandingRecord[], now: number) {
  const byId = Map.groupBy(
    records.filter(({ grant }) => grant.until > now),
    ({ id }) => id,
  )
  return [...byId].map(([id, own]) => ({
    id,
    grant: (own[0] as StandingRecord).grant,
    jobs: new Set(own.flatMap(({ job }) => (job ? [job.name] : []))).size,
  }))
}
