import type { RevocationEntry } from '@interlock/contracts'
import type { RegistryFinding } from './alerts.ts'

const topic = 'control.revocations'

/** What lies in a partition: the first offset, and the one that is written next. */
export type TopicEnds = { readonly low: number; readonly high: number }

/**
 * Notices when what was revoked is made to count again (ATTACKS 133). Each reader keeps the newest revision that it has seen, so that nothing is
 * lifted by an old entry while it runs; but one that starts anew knows only what still lies there, and a human must hear of that.
 */
export class RevocationWatch {
  readonly #from = new Map<string, number>()
  #low = 0
  #high = 0

  /** Entries that say a later time than before: an entry has no end, so this is somebody's way to give it one. */
  look(revocations: ReadonlyMap<string, RevocationEntry>): RegistryFinding[] {
    const findings: RegistryFinding[] = []
    for (const [id, { from, reason }] of revocations) {
      const was = this.#from.get(id)
      this.#from.set(id, from)
      if (was === undefined || from <= was) continue
      findings.push({
        rule: 'revocation-weakened',
        severity: 'critical',
        subject: id,
        title: 'A revocation was put off',
        message: `${id} was revoked from ${new Date(was).toISOString()}, and now only from ${new Date(from).toISOString()}`,
        evidence: { was, from, reason },
        occasion: from,
      })
    }
    return findings
  }

  /** A record of the topic that no reader takes: without a value, or older than what it would replace. */
  ignored(table: string, offset: string, reason: string): RegistryFinding | undefined {
    if (table !== topic || (reason !== 'tombstone' && reason !== 'older')) return undefined
    return {
      rule: 'revocation-removed',
      severity: 'critical',
      subject: `${topic}:0:${offset}`,
      title: 'Somebody tried to remove a revocation',
      message:
        reason === 'tombstone'
          ? `the record at offset ${offset} of ${topic} deletes an entry: compaction will remove it for who starts anew`
          : `the record at offset ${offset} of ${topic} is older than the entry that it would replace`,
      evidence: { offset: Number(offset), reason },
      occasion: offset,
    }
  }

  /** A log only grows, and a compacted one keeps its beginning. */
  ends({ low, high }: TopicEnds): RegistryFinding | undefined {
    const was = this.#high
    const isSame = low <= this.#low && high >= was
    this.#low = low
    this.#high = high
    if (isSame) return undefined
    return {
      rule: 'revocations-rolled-back',
      severity: 'critical',
      subject: topic,
      title: 'The revocations were rolled back',
      message: `${topic} holds the offsets ${low} to ${high}, and it held 0 to ${was}: what was revoked there may count for who starts anew`,
      evidence: { low, high, was },
      occasion: low > 0 ? low : was,
    }
  }
}
