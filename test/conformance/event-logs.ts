import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BootPolicy, judgeBoot, readAttestationKey, replayEventLog } from '@interlock/tpm'
import { measuredPcrs } from '@interlock/tpm/test-event-log'
import { type Judgement, report, type SuiteReport } from './suite.ts'

/** The PCRs of firmware, boot loader and boot policy. */
const bootPcrs = [0, 1, 2, 3, 4, 5, 6, 7]
/** The defect that a log's name tells, and the rule that finds it. */
const defects: readonly { readonly name: RegExp; readonly rule: BootPolicy; readonly reason: string }[] = [
  { name: /no[-_]secure[-_]boot/, rule: { secureBoot: true }, reason: 'boot-secure-boot' },
  { name: /option_rom/, rule: { drivers: [] }, reason: 'boot-driver' },
  { name: /sb_cert/, rule: { authorities: [] }, reason: 'boot-authority' },
]

/** Event logs of real machines, judged beside the PCRs that a TPM had which measured what they say, and beside others. */
export function eventLogs(vectors: string): SuiteReport | undefined {
  const folder = join(vectors, 'tpm')
  if (!existsSync(folder)) return undefined
  const files = ['eventlogs', 'go-attestation'].flatMap((name) => readdirSync(join(folder, name)).map((file) => join(name, file)))
  return report(
    'tpm event logs',
    files.flatMap((file) => {
      const bytes = readFileSync(join(folder, file))
      return file.endsWith('.json') ? judgeDump(file, JSON.parse(bytes.toString('utf8'))) : judgeLog(file, bytes)
    }),
  )
}

const zeros = new Map(bootPcrs.map((pcr) => [pcr, Buffer.alloc(32)]))
const stranger = new Map([[0, createHash('sha256').update('another machine').digest()]])

function judgeLog(file: string, log: Buffer): [string, Judgement][] {
  const refusals: [string, Judgement][] = [
    [`${file} beside PCRs of nothing`, refusedBy(replayEventLog(log, zeros))],
    [`${file} beside another machine's`, refusedBy(replayEventLog(log, stranger))],
  ]
  // Malformed by design, or of SHA-1 digests alone: there are no PCRs that it could lead to.
  if (malformed(replayEventLog(log, zeros))) return refusals
  const pcrs = measuredPcrs(log)
  const events = replayEventLog(log, new Map(bootPcrs.map((pcr) => [pcr, pcrs.get(pcr) as Buffer])))
  const own: [string, Judgement] = [`${file} beside its own machine's`, events.ok ? { kind: 'passed' } : failed(events.reason)]
  if (!events.ok) return [...refusals, own]
  const defect = defects.find(({ name }) => name.test(file))
  if (!defect) return [...refusals, own]
  const judged = judgeBoot(events.value, defect.rule)
  const found = !judged.ok && judged.reason === defect.reason
  return [...refusals, own, [`${file} by policy`, found ? { kind: 'passed' } : failed(judged.ok ? 'passed' : judged.reason)]]
}

type Dump = { readonly AK: { readonly Public: string }; readonly Static: { readonly EKPem: string | null } }

/** A quote with all that belongs to it, as go-attestation dumps it. */
function judgeDump(file: string, { AK, Static }: Dump): [string, Judgement][] {
  const key = readAttestationKey(Buffer.from(AK.Public, 'base64'))
  const isRefused = !key.ok && key.reason === 'attestation-key-scheme'
  const endorsement: Judgement = Static.EKPem
    ? failed('an endorsement key that nobody judges')
    : { kind: 'left out', why: 'the dump has no endorsement key: nothing to activate a credential with' }
  return [
    [`${file}: its attestation key signs with SHA-1`, isRefused ? { kind: 'passed' } : failed(key.ok ? 'accepted' : key.reason)],
    [`${file}: endorsement`, endorsement],
    [
      `${file}: quote`,
      { kind: 'left out', why: 'quoted by a SHA-1 key with an empty nonce, which is refused before a byte of it is read' },
    ],
  ]
}

const failed = (why: string): Judgement => ({ kind: 'failed', why })
const malformed = (replayed: ReturnType<typeof replayEventLog>) => !replayed.ok && replayed.reason === 'event-log-malformed'
const refusedBy = (replayed: { readonly ok: boolean }): Judgement => (replayed.ok ? failed('believed') : { kind: 'passed' })
