import type { Approval, Human } from '@interlock/contracts'
import { digest, verifyApproval } from '@interlock/trust'
import { checkOf, checkThat, fails, type Kept, type Reference, type TraceNode, unchecked } from './evidence.ts'

/** A human's answer: their passkey's assertion over what they were shown. */
export async function approvalNode(
  { record, bytes, at }: Kept<Approval>,
  expected: { human: Human | undefined; decidedAt: number; commandDigest: string | undefined; counted: readonly string[] },
  { anchors }: Reference,
): Promise<TraceNode> {
  const isCounted = expected.counted.includes(digest(bytes))
  const title = `approval ${record.answer} by ${record.human}${isCounted ? '' : ' (not counted)'}  [${at}]`
  const { human } = expected
  if (!human)
    return {
      title,
      checks: [unchecked('assertion of a registered passkey', 'no verified entry of the human is kept')],
      children: [],
    }
  const { rpId, origins } = anchors.webauthn
  const verified = await verifyApproval({ approval: record, human, expected: { rpId, origins }, now: expected.decidedAt })
  if (!verified.ok)
    return { title, checks: [fails('assertion of a registered passkey, user verified', verified.reason)], children: [] }
  const isSame = verified.value.commandDigest === expected.commandDigest
  return {
    title: `${title}: "${verified.value.summary}"`,
    checks: [
      checkOf('assertion of a registered passkey, user verified', verified),
      checkThat('is about this command', isSame, `signed for ${verified.value.commandDigest}`),
    ],
    children: [],
  }
}
