import { verifyDeviceSignature } from '@interlock/attestation'
import {
  type Ack,
  ackStatementSchema,
  type DeviceEntry,
  type Order,
  type Outcome,
  type Receipt,
  receiptStatementSchema,
} from '@interlock/contracts'
import { parseAttest } from '@interlock/tpm'
import { digest, parseCanonical, VerifiedRoots, verifyDecisionChain, verifySignedStatement } from '@interlock/trust'
import { type Check, checkOf, checkThat, fails, type Kept, type Reference, type TraceNode, unchecked } from './evidence.ts'

/** The order a device was told, with all its signatures, as the device itself checks it. */
export function orderNode({ record, at }: Kept<Order>, reference: Reference, isRepeat: boolean): TraceNode {
  const title = `order to ${record.device}, deadline ${new Date(record.deadline).toISOString()}${isRepeat ? ' (repeated)' : ''}  [${at}]`
  const intent = reference.codec.decode('intents', record.intent, 'Intent')
  if (!intent.ok) return { title, checks: [fails('carries the intent', intent.reason)], children: [] }
  const chain = verifyDecisionChain({
    intent: intent.value,
    intentBytes: record.intent,
    statements: record.statements,
    upTo: 'device-dispatch',
    anchors: reference.anchors,
    now: record.decidedAt,
    isRevokedKey: () => false,
    cache: new VerifiedRoots(),
  })
  const signed = chain.ok ? chain.value.statements[4]?.obligations : undefined
  const isSame = signed?.device === record.device && signed?.jobId === record.jobId && signed?.deadline === record.deadline
  return {
    title,
    checks: [
      checkOf('carries five linked ALLOWs, each by its own stage', chain),
      checkThat('says in its columns what is signed', isSame, 'differs'),
    ],
    children: [],
  }
}

/** A device's control entry and when it was written. */
export type Enrolled = { readonly from: number; readonly device: DeviceEntry }

/** A device's answer, signed as it was enrolled: its TPM's quote over the statement, or its DICE's signature. */
export function ackNode(
  { record, at }: Kept<Ack>,
  { orderDigest, nonce }: { readonly orderDigest: string | undefined; readonly nonce: string | undefined },
  enrolled: readonly Enrolled[],
): TraceNode {
  const parsed = parseCanonical(record.statement, { bytesMax: 65_536, depthMax: 8 })
  const statement = parsed.ok ? ackStatementSchema.safeParse(parsed.value) : undefined
  if (!statement?.success)
    return { title: `ack ${record.status}  [${at}]`, checks: [fails('has a readable statement', 'malformed')], children: [] }
  const { data } = statement
  const device = (enrolled.findLast(({ from }) => from <= data.at) ?? enrolled[0])?.device
  const why = data.reason ? ` ${data.reason}` : ''
  return {
    title: `ack ${data.status}${why} ${JSON.stringify(data.measured)}  [${at}]`,
    checks: [
      signatureCheck(record, device),
      checkThat(
        'names this order and its nonce',
        data.orderDigest === orderDigest && data.nonce === nonce,
        `names ${data.orderDigest}`,
      ),
      checkThat(
        'says in its columns what is signed',
        data.status === record.status && data.device === record.device && data.intentId === record.intentId,
        'differs',
      ),
    ],
    children: [],
  }
}

function signatureCheck(ack: Ack, device: DeviceEntry | undefined): Check {
  if (!device) return unchecked(`signed by the key enrolled for ${ack.device}`, 'no verified control.devices entry is kept')
  const isQuote = device.attestation.kind === 'tpm'
  const what = isQuote ? `quoted by the TPM enrolled for ${ack.device}` : `signed by the DICE enrolled for ${ack.device}`
  // Without the counters before: the order in which acks are kept is not the order in which they were signed.
  const signed = verifyDeviceSignature(ack, device, undefined)
  const attest = parseAttest(ack.attest)
  const clock = attest.ok ? ` (TPM clock ${attest.value.clock.clockMs} ms, reset ${attest.value.clock.resetCount})` : ''
  return checkOf(`${what}${signed.ok ? clock : ''}`, signed)
}

/** What device-dispatch found of an ack, under its own signature. */
export function receiptNode({ record, at }: Kept<Receipt>, acks: readonly Kept<Ack>[], { anchors }: Reference): TraceNode {
  const why = record.reasons.length > 0 ? ` ${record.reasons.join(', ')}` : ''
  const title = `receipt ${record.result} ${record.status}${why}  [${at}]`
  const parsed = parseCanonical(record.statement.statement, { bytesMax: 65_536, depthMax: 8 })
  const statement = parsed.ok ? receiptStatementSchema.safeParse(parsed.value) : undefined
  if (!statement?.success) return { title, checks: [fails('has a signed statement', 'malformed')], children: [] }
  const { data } = statement
  const signer = verifySignedStatement(record.statement, anchors, new VerifiedRoots())
  const isDispatch = signer.ok && signer.value.role.kind === 'enforcer' && signer.value.role.stage === 'device-dispatch'
  const isAckKept = data.ack === '' ? data.result === 'timed-out' : acks.some(({ bytes }) => digest(bytes) === data.ack)
  return {
    title,
    checks: [
      signer.ok
        ? checkThat('signed by the key of enforcer/device-dispatch', isDispatch, signer.value.spiffeId)
        : checkOf('signed', signer),
      checkThat(
        'says in its columns what is signed',
        data.result === record.result && data.status === record.status && data.intentId === record.intentId,
        'differs',
      ),
      checkThat('is about an ack that is kept', isAckKept, `no kept ack has the digest ${data.ack}`),
    ],
    children: [],
  }
}

/** The outcome is signed by nobody: it counts as far as a signed decision or receipt bears it out. */
export function outcomeNode({ record, at }: Kept<Outcome>, signedEnds: readonly string[], isRepeat: boolean): TraceNode {
  const why = record.reasons.length > 0 ? ` ${record.reasons.join(', ')}` : ''
  const borneOut = signedEnds.includes(record.status)
  return {
    title: `outcome ${record.status} by ${record.stage}${why}${isRepeat ? ' (does not count: an earlier one stands)' : ''}  [${at}]`,
    checks: isRepeat
      ? []
      : [checkThat('is borne out by what is signed', borneOut, `signed ends are: ${signedEnds.join(', ') || 'none'}`)],
    children: [],
  }
}
