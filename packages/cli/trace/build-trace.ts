import { type ControlValue, type DeviceEntry, type Human, orderObligationsSchema } from '@interlock/contracts'
import { digest, readCommand, verifyControlEntry } from '@interlock/trust'
import { ackNode, type Enrolled, orderNode, outcomeNode, receiptNode } from './answer-nodes.ts'
import { approvalNode } from './approval-nodes.ts'
import { authorityNode } from './authority-node.ts'
import { type Decided, decidedOf, decisionNodes } from './decision-nodes.ts'
import { deviceEnrolmentNode } from './enrolment-nodes.ts'
import { checkThat, type Evidence, fails, type Reference, type TraceNode, unchecked } from './evidence.ts'

/** The whole story of one intent from what was kept, with each check done again. Pure: believes no column, only signatures. */
export async function buildTrace(intentId: string, evidence: Evidence, reference: Reference): Promise<TraceNode> {
  const decided = decidedOf(evidence.decisions)
  const intent = submittedIntent(evidence, decided)
  const command = intent && readCommand(intent.record)
  const subject = { intentBytes: intent?.bytes, commandDigest: command?.ok ? command.value.commandDigest : undefined }
  const decidedAt = decided.get('identity-verify')?.kept.record.decidedAt ?? evidence.decisions[0]?.record.decidedAt
  const children: TraceNode[] = []
  if (intent && decidedAt !== undefined)
    children.push(await authorityNode(intent, { decidedAt, humans: humansOf(evidence, reference), evidence }, reference))
  children.push(...decisionNodes(evidence.decisions, decided, subject, reference))
  children.push(...(await approvalNodes(evidence, decided, subject.commandDigest, reference)))
  children.push(...answerNodes(evidence, decided, reference))
  const asked = intent ? `${intent.record.device} ${intent.record.capability} ${parametersOf(intent.record.command)}` : 'not kept'
  return { title: `intent ${intentId}: ${asked}`, checks: completeness(evidence), children }
}

/** The record that identity-verify decided on; the same intentId may have been submitted again with another body. */
function submittedIntent({ intents }: Evidence, decided: ReadonlyMap<string, Decided>) {
  const statement = decided.get('identity-verify')?.statement
  return intents.find(({ bytes }) => digest(bytes) === statement?.previous) ?? intents[0]
}

async function approvalNodes(
  evidence: Evidence,
  decided: ReadonlyMap<string, Decided>,
  commandDigest: string | undefined,
  reference: Reference,
) {
  const router = decided.get('approval-router')
  const counted = (router?.statement?.obligations.approvals ?? []) as readonly string[]
  const humans = humansOf(evidence, reference)
  return Promise.all(
    evidence.approvals.map((kept) => {
      const human = humans.findLast(({ sub }) => sub === kept.record.human)
      return approvalNode(kept, { human, decidedAt: router?.kept.record.decidedAt ?? 0, commandDigest, counted }, reference)
    }),
  )
}

function answerNodes(evidence: Evidence, decided: ReadonlyMap<string, Decided>, reference: Reference): TraceNode[] {
  const dispatch = decided.get('device-dispatch')
  const orderDigest = dispatch?.signed && digest(dispatch.signed.statement)
  const obligations = orderObligationsSchema.safeParse(dispatch?.statement?.obligations)
  const nonce = obligations.success ? obligations.data.nonce : undefined
  const ends = signedEnds(evidence, decided)
  return [
    ...evidence.orders.map((order, index) => orderNode(order, reference, index > 0)),
    ...deviceNodes(evidence, dispatch?.kept.record.decidedAt, reference),
    ...evidence.acks.map((ack) => ackNode(ack, { orderDigest, nonce }, devicesOf(evidence, ack.record.device, reference))),
    ...evidence.receipts.map((receipt) => receiptNode(receipt, evidence.acks, reference)),
    ...evidence.outcomes.map((outcome, index) => outcomeNode(outcome, ends, index > 0)),
  ]
}

/** Of the machine that answered: what stood when it was given the order. */
function deviceNodes(evidence: Evidence, orderedAt: number | undefined, reference: Reference): TraceNode[] {
  const [ack] = evidence.acks
  if (!ack || orderedAt === undefined) return []
  const known = devicesOf(evidence, ack.record.device, reference)
  const device = (known.findLast(({ from }) => from <= orderedAt) ?? known[0])?.device
  return device ? [deviceEnrolmentNode(device, evidence.appraisals, orderedAt, reference)] : []
}

const humansOf = (evidence: Evidence, reference: Reference): Human[] =>
  valuesOf(evidence, 'control.agents', reference).filter((value): value is Human => value.kind === 'human')

/** Every verified entry of a device, newest last: an ack counts by the one that stood when the device signed. */
function devicesOf(evidence: Evidence, device: string, { anchors }: Reference): Enrolled[] {
  return evidence.controlEntries
    .filter(({ table, entry }) => table === 'control.devices' && entry.id === device)
    .map(({ entry }) => verifyControlEntry(entry, 'control.devices', anchors))
    .flatMap((verified) => (verified.ok ? [{ from: verified.value.updatedAt, device: verified.value.value as DeviceEntry }] : []))
    .toSorted((left, right) => left.from - right.from)
}

/** Values of the kept entries that verify, in the order of their revisions. */
function valuesOf<T extends 'control.agents' | 'control.devices'>(
  evidence: Evidence,
  table: T,
  { anchors }: Reference,
): ControlValue<T>[] {
  return evidence.controlEntries
    .filter((kept) => kept.table === table)
    .toSorted((left, right) => left.entry.revision - right.entry.revision)
    .map(({ entry }) => verifyControlEntry(entry, table, anchors))
    .flatMap((verified) => (verified.ok ? [verified.value.value as ControlValue<T>] : []))
}

/** How it may have ended, by what is signed: a stage's DENY, a receipt, a stage's statement that it expired. */
function signedEnds({ receipts }: Evidence, decided: ReadonlyMap<string, Decided>): string[] {
  const denials = [...decided.values()].filter(({ statement }) => statement?.verdict === 'DENY')
  const verified = receipts.filter(({ record }) => record.result === 'verified' && record.status !== 'accepted')
  return [
    ...(denials.length > 0 ? ['denied', 'expired', 'cancelled'] : []),
    ...verified.map(({ record }) => record.status),
    // What a device refused for a stop is told as cancelled.
    ...(verified.some(({ record }) => record.status === 'refused') ? ['cancelled'] : []),
    ...(receipts.some(({ record }) => record.result === 'timed-out') ? ['timed-out'] : []),
  ]
}

function completeness(evidence: Evidence) {
  const { outcomes, decisions, orders, unreadable } = evidence
  const isDecided = decisions.some(({ record }) => record.stage === 'device-dispatch')
  return [
    checkThat(
      'has exactly one outcome that counts',
      outcomes.length > 0,
      decisions.length > 0 ? 'none is kept yet' : 'nothing is kept of it',
    ),
    ...(orders.length > 0
      ? [checkThat('the decision to give the order is kept', isDecided, 'the order is, its decision is not')]
      : []),
    ...unreadable.map(({ at, reason }) => fails(`the record at ${at} can be read`, reason)),
    unchecked('that no record was removed', 'there is no signed log over the records yet'),
    unchecked(
      'which revocations and stops stood at that time',
      'the stages signed that they looked; when each had read an entry is not kept',
    ),
    unchecked('whether the machine moved as it says', 'a TPM vouches for the software that says so, not for the motion'),
    unchecked(
      'the evidence behind the attestation results',
      'the registry verified the quotes and signed what it found; it does not keep them',
    ),
  ]
}

function parametersOf(command: Buffer): string {
  try {
    const { parameters } = JSON.parse(command.toString('utf8')) as {
      parameters: Record<string, { value?: string; unit?: string } | string>
    }
    return Object.entries(parameters)
      .map(([name, value]) => `${name} ${typeof value === 'string' ? value : `${value.value} ${value.unit}`}`)
      .join(', ')
  } catch {
    return 'unreadable command'
  }
}
