import {
  type Decision,
  type DecisionStatement,
  decisionStatementSchema,
  type SignedStatement,
  stageNames,
} from '@interlock/contracts'
import { digest, parseCanonical, VerifiedRoots, verifySignedStatement } from '@interlock/trust'
import { type Check, checkOf, checkThat, fails, type Kept, type Reference, type TraceNode } from './evidence.ts'

/** The decision of a stage that counts, and its signed statement as it was read again. */
export type Decided = {
  readonly kept: Kept<Decision>
  readonly signed: SignedStatement | undefined
  readonly statement: DecisionStatement | undefined
}

/** The decisions that count, by stage: the first that is no ESCALATE, else the first. */
export function decidedOf(decisions: readonly Kept<Decision>[]): ReadonlyMap<string, Decided> {
  const found = stageNames.flatMap((stage) => {
    const own = decisions.filter(({ record }) => record.stage === stage)
    const kept = own.find(({ record }) => record.verdict !== 'ESCALATE') ?? own[0]
    return kept ? [[stage, decided(kept)] as const] : []
  })
  return new Map(found)
}

function decided(kept: Kept<Decision>): Decided {
  const signed = kept.record.statements.at(-1)
  const parsed = signed && parseCanonical(signed.statement, { bytesMax: 65_536, depthMax: 16 })
  const statement = parsed?.ok ? decisionStatementSchema.safeParse(parsed.value) : undefined
  return { kept, signed, statement: statement?.success ? statement.data : undefined }
}

/** One node a decision, those that did not count included. */
export function decisionNodes(
  decisions: readonly Kept<Decision>[],
  counted: ReadonlyMap<string, Decided>,
  subject: { intentBytes: Buffer | undefined; commandDigest: string | undefined },
  reference: Reference,
): readonly TraceNode[] {
  let before: Decided | undefined
  return stageNames.flatMap((stage, index) => {
    const own = decisions.filter(({ record }) => record.stage === stage)
    const nodes = own.map((kept) => {
      const one = decided(kept)
      const isCounted = counted.get(stage)?.kept === kept
      const previous =
        index === 0 ? subject.intentBytes && digest(subject.intentBytes) : before?.signed && digest(before.signed.statement)
      const checks =
        isCounted || kept.record.verdict === 'ESCALATE'
          ? checksOf(one, previous, subject, reference)
          : [signatureCheck(one, reference)]
      return { title: titleOf(one, before, isCounted), checks, children: [] }
    })
    before = counted.get(stage) ?? before
    return nodes
  })
}

function titleOf({ kept: { record, at } }: Decided, before: Decided | undefined, isCounted: boolean): string {
  const took = before ? ` +${record.decidedAt - before.kept.record.decidedAt} ms` : ''
  const why = record.reasons.length > 0 ? ` ${record.reasons.join(', ')} ${record.detail}` : ''
  const note = isCounted
    ? ''
    : record.verdict === 'ESCALATE'
      ? ' (asked humans)'
      : ' (does not count: an earlier decision stands)'
  return `${record.stage} ${record.verdict}${took}${why}${note}  [${at}]`
}

function checksOf(
  decision: Decided,
  previous: string | undefined,
  subject: { commandDigest: string | undefined },
  reference: Reference,
): readonly Check[] {
  const { kept, statement } = decision
  const { record } = kept
  if (!statement) return [fails('has a signed statement', 'its last statement is missing, not canonical or malformed')]
  const said = [
    record.eventId,
    record.intentId,
    record.verdict,
    record.reasons.join(),
    record.decidedAt,
    record.expiresAt,
    record.commandDigest,
  ]
  const meant = [
    statement.eventId,
    statement.intentId,
    statement.verdict,
    statement.reasons.join(),
    statement.decidedAt,
    statement.expiresAt,
    statement.commandDigest,
  ]
  return [
    signatureCheck(decision, reference),
    checkThat(
      'says in its columns what is signed',
      said.join('\n') === meant.join('\n'),
      `record ${said.join(' ')}, signed ${meant.join(' ')}`,
    ),
    checkThat(
      'follows what came before it',
      statement.previous === previous,
      `previous is ${statement.previous}, expected ${previous ?? 'nothing kept'}`,
    ),
    checkThat(
      'is about this command',
      statement.commandDigest === subject.commandDigest,
      `signed for ${statement.commandDigest}`,
    ),
  ]
}

function signatureCheck({ signed, statement, kept }: Decided, { anchors }: Reference): Check {
  const what = `signed by the key of enforcer/${kept.record.stage}`
  if (!signed || !statement) return fails(what, 'no statement')
  const signer = verifySignedStatement(signed, anchors, new VerifiedRoots())
  if (!signer.ok) return checkOf(what, signer)
  const { role, notBeforeMs, notAfterMs, spiffeId } = signer.value
  if (role.kind !== 'enforcer' || role.stage !== statement.stage || statement.stage !== kept.record.stage)
    return fails(what, `signed by ${spiffeId}`)
  const isInTime = statement.decidedAt >= notBeforeMs && statement.decidedAt <= notAfterMs
  return checkThat(what, isInTime, 'decided outside the validity of the certificate')
}
