import type { RegistryFinding } from './alerts.ts'

const topic = 'control.revocations'

const removed = { rule: 'revocation-removed', title: 'Somebody tried to remove a revocation' } as const
const tellings: Readonly<Record<string, Pick<RegistryFinding, 'rule' | 'title' | 'message'>>> = {
  tombstone: { ...removed, message: 'deletes an entry: compaction will remove it for who starts anew' },
  older: { ...removed, message: 'is older than the entry that it would replace' },
  // An entry has no end: a later time is somebody's way to give it one.
  'revocation-weakened': {
    rule: 'revocation-weakened',
    title: 'Somebody tried to put a revocation off',
    message: 'revokes from a later time on than before: compaction will leave it alone there for who starts anew',
  },
}

/** What lies in a partition: the first offset, and the one that is written next. */
export type TopicEnds = { readonly low: number; readonly high: number }

/**
 * Notices when what was revoked is made to count again (ATTACKS 133). Each reader keeps what it has seen, so that nothing is
 * lifted or put off while it runs; but one that starts anew knows only what still lies there, and a human must hear of that.
 */
export class RevocationWatch {
  #low = 0
  #high = 0

  /** A record of the topic that no reader takes: without a value, older than what it would replace, or with a later time than that. */
  ignored(table: string, offset: string, reason: string): RegistryFinding | undefined {
    const told = table === topic ? tellings[reason] : undefined
    return (
      told && {
        ...told,
        severity: 'critical',
        subject: `${topic}:0:${offset}`,
        message: `the record at offset ${offset} of ${topic} ${told.message}`,
        evidence: { offset: Number(offset), reason },
        occasion: offset,
      }
    )
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
