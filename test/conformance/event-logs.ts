import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { replayEventLog } from '@interlock/tpm'
import { type Judgement, report, type SuiteReport } from './suite.ts'

/** Event logs of real machines. No quotes came with them, so what can be judged is that none is believed beside PCRs that it does not replay to. */
export function eventLogs(vectors: string): SuiteReport | undefined {
  const folder = join(vectors, 'tpm')
  if (!existsSync(folder)) return undefined
  const files = ['eventlogs', 'go-attestation'].flatMap((name) => readdirSync(join(folder, name)).map((file) => join(name, file)))
  const zeros = new Map(Array.from({ length: 16 }, (_, pcr) => [pcr, Buffer.alloc(32)]))
  const stranger = new Map([[0, createHash('sha256').update('another machine').digest()]])
  return report(
    'tpm event logs',
    files.flatMap((file): [string, Judgement][] => {
      if (file.endsWith('.json')) return [[file, { kind: 'left out', why: 'a quote by a SHA-1 key: judged in packages/tpm' }]]
      const log = readFileSync(join(folder, file))
      return [
        [`${file} beside PCRs of nothing`, refusedBy(replayEventLog(log, zeros))],
        [`${file} beside another machine's`, refusedBy(replayEventLog(log, stranger))],
      ]
    }),
  )
}

const refusedBy = (replayed: { readonly ok: boolean }): Judgement =>
  replayed.ok ? { kind: 'failed', why: 'believed' } : { kind: 'passed' }
