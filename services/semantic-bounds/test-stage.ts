import { enforce } from '@interlock/enforcer'
import { TestPartition } from '@interlock/enforcer/test-partition'
import { createTables, type Fixture, type FixtureTables } from '@interlock/sdk/fixture'
import { digest, VerifiedRoots } from '@interlock/trust'
import { readPolicyBundle } from '../../ops/policies/bundle.ts'
import type { BoundsMemory } from './memory.ts'
import { semanticBounds } from './stage.ts'

/** A partition of the stage with the laboratory's policy and no decision point. */
export async function startTestStage(
  fixture: Fixture,
  at: { readonly partition: number; readonly now: number },
): Promise<{ readonly tables: FixtureTables; readonly here: TestPartition<BoundsMemory> }> {
  const { revision, wasm, data } = readPolicyBundle()
  const tables = await createTables(fixture, { attestationKey: 'AA', pcrs: [0], pcrDigest: digest(Buffer.alloc(0)) })
  const module = { wasm: wasm.toString('base64url'), wasmSha256: digest(wasm) }
  tables['control.policies'].set('bounds', { kind: 'bounds', revision, sequence: 1, ...module, data })
  const parts = {
    codec: fixture.codec,
    trust: fixture.trust.anchors,
    roots: new VerifiedRoots(),
    key: fixture.key('semantic-bounds'),
    alarm: (error: unknown) => {
      throw error
    },
  }
  const stage = semanticBounds({ ask: () => Promise.reject(new Error('nobody else is asked')) })
  return { tables, here: new TestPartition(enforce(stage, parts), { codec: fixture.codec, tables, ...at }) }
}
