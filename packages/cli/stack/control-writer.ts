import type { ControlTable, PolicyEntry, RevocationEntry, StopEntry } from '@interlock/contracts'
import { signControlEntry } from '@interlock/trust'
import { signingKeyOf } from '../trust-domain/jobs.ts'
import type { Layout } from '../trust-domain/layout.ts'
import { connect } from './connect.ts'
import { publishControlEntries } from './publish.ts'
import { readStackFile } from './stack-file.ts'

/** Signs an entry as the operator and publishes it. The revision is the time, as a rule: a later word of the operator is the newer one. */
export async function writeAsOperator(
  layout: Layout,
  table: Extract<ControlTable, 'control.stops' | 'control.revocations' | 'control.policies'>,
  id: string,
  value: StopEntry | RevocationEntry | PolicyEntry,
  revision: number,
): Promise<void> {
  const connection = await connect(readStackFile(layout))
  const statement = { table, id, revision, updatedAt: Date.now(), value }
  const entry = await signControlEntry(statement, signingKeyOf(layout, 'operator-dev'))
  await publishControlEntries(connection, [{ table, entry }])
}
