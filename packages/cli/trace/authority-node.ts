import type { Human, Intent, TaskTokenClaims } from '@interlock/contracts'
import {
  consentId,
  readCommand,
  readTaskToken,
  summaryOfGrants,
  verifyConsent,
  verifyDelegation,
  verifyIntentProof,
} from '@interlock/trust'
import { agentEnrolmentNode, claimsOf, holdersOf } from './enrolment-nodes.ts'
import {
  type Check,
  checkOf,
  checkThat,
  type Evidence,
  type Kept,
  type Reference,
  type TraceNode,
  unchecked,
} from './evidence.ts'
import { partnersAt } from './partners.ts'

/** Who asked, on whose behalf: the human, the agents below each other with the tokens between them, and the intent's proof. */
export async function authorityNode(
  { record: intent, at }: Kept<Intent>,
  { decidedAt, humans, evidence }: { readonly decidedAt: number; readonly humans: readonly Human[]; readonly evidence: Evidence },
  reference: Reference,
): Promise<TraceNode> {
  const { anchors } = reference
  const command = readCommand(intent)
  const proof = verifyIntentProof(intent.proof, {
    anchors,
    federation: partnersAt(evidence, decidedAt, reference),
    now: decidedAt,
    skewMs: SKEW_MS,
    intentId: intent.intentId,
    jobId: intent.jobId,
    commandDigest: command.ok ? command.value.commandDigest : ('' as never),
    leafToken: intent.tokens.at(-1) ?? '',
  })
  const delegation = proof.ok
    ? checkOf(
        'each token is narrower than its parent, signed by who held it, down from the token service',
        verifyDelegation(intent.tokens, {
          anchors,
          now: decidedAt,
          skewMs: SKEW_MS,
          revocations: new Map(),
          agent: proof.value.leaf.spiffeId,
          thumbprint: proof.value.leaf.thumbprint,
        }),
      )
    : unchecked('the delegation', 'it is bound to the proof, which failed')
  const checks = [
    checkOf('the command is canonical and the one in the columns', command),
    checkOf('proof by the acting agent', proof),
    delegation,
  ]
  const claims = claimsOf(intent.tokens)
  const [root] = claims
  const acted = { decidedAt, leaf: proof.ok ? proof.value.leaf : undefined }
  const { issuedTokens, appraisals } = evidence
  const human = humans.findLast(({ sub }) => sub === root?.sub)
  return {
    title: `human ${root?.sub ?? 'unreadable'} authorised job ${intent.jobId}`,
    checks: [await consentCheck(root, human, reference)],
    children: [
      tokenNode(intent.tokens, { intent, at, checks, issuedTokens }),
      ...holdersOf(claims).map((holder) => agentEnrolmentNode(holder, appraisals, acted, reference)),
    ],
  }
}

async function consentCheck(root: TaskTokenClaims | undefined, human: Human | undefined, { anchors }: Reference): Promise<Check> {
  const what = 'signed by the human’s passkey, for no less than the root token grants'
  if (!root || !human) return unchecked(what, 'no verified entry of the human is kept')
  const consent = await verifyConsent({ root, human, expected: anchors.webauthn, skewMs: SKEW_MS })
  if (!consent.ok || !root.consent) return checkOf(what, consent)
  const until = new Date(consent.value.until).toISOString()
  const which =
    consent.value.kind === 'grant'
      ? `for this job, until ${until}`
      : `once, by standing grant ${consentId(root.consent)}; the job lies within it, until ${until}`
  return checkOf(`${what}: ${which}`, consent)
}

type Innermost = Pick<Evidence, 'issuedTokens'> & {
  readonly intent: Intent
  readonly at: string
  readonly checks: readonly Check[]
}

/** Tokens nest as the delegation did: the acting agent and its proof lie innermost. */
function tokenNode([token, ...rest]: readonly string[], innermost: Innermost): TraceNode {
  const { intent, at, checks, issuedTokens } = innermost
  if (token === undefined) return { title: `intent ${intent.intentId}  [${at}]`, checks, children: [] }
  const children = [tokenNode(rest, innermost)]
  const read = readTaskToken(token)
  if (!read.ok) return { title: `unreadable token: ${read.reason}`, checks: [], children }
  const { claims, signedBy } = read.value
  const until = new Date(claims.exp * 1000).toISOString()
  return {
    title: `${claims.parent ? 'token' : 'root token'} ${claims.jti} to ${claims.act.sub} until ${until}: ${summaryOfGrants(claims.authorization_details).replaceAll('\n', '. ')}`,
    // What an agent signed offline for its sub-agent nobody records but by the intent itself.
    checks: 'kid' in signedBy ? [recordedCheck(token, issuedTokens)] : [],
    children,
  }
}

function recordedCheck(token: string, issuedTokens: Evidence['issuedTokens']): Check {
  const what = 'recorded by the token service before it was handed out'
  const signingInput = token.slice(0, token.lastIndexOf('.'))
  return checkThat(
    what,
    issuedTokens.some(({ record }) => record.signingInput === signingInput),
    'no such token is on record',
  )
}

const SKEW_MS = 30_000
