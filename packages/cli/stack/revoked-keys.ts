import { ControlFold } from '@interlock/sdk'
import { isRevoked, openTrustBundle } from '@interlock/trust'
import type { Layout } from '../trust-domain/layout.ts'
import { readTrustBundle } from '../trust-domain/trust-bundle-file.ts'
import type { connect } from './connect.ts'
import { readAll } from './follow.ts'

/** Whether a key, by its id, is revoked in the stack that runs, as of now. */
export async function readRevokedKeys(
  { kafka, codec }: Awaited<ReturnType<typeof connect>>,
  layout: Layout,
): Promise<(keyId: string) => boolean> {
  const table = 'control.revocations'
  const fold = new ControlFold(codec, openTrustBundle(readTrustBundle(layout)))
  await readAll(kafka, [table], ({ value }) => void fold.take(table, value))
  return (keyId) => isRevoked([`enforcer-key:${keyId}`], { revocations: fold.table(table) }, Date.now())
}
