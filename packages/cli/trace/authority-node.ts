import type { Human, Intent, TaskTokenClaims } from '@interlock/contracts'
import { readCommand, readTaskToken, verifyConsent, verifyDelegation, verifyIntentProof } from '@interlock/trust'
import { type Check, checkOf, type Kept, type Reference, type TraceNode, unchecked } from './evidence.ts'

/** Who asked, on whose behalf: the human, the agents below each other with the tokens between them, and the intent's proof. */
export async function authorityNode(
  { record: intent, at }: Kept<Intent>,
  { decidedAt, humans }: { readonly decidedAt: number; readonly humans: readonly Human[] },
  reference: Reference,
): Promise<TraceNode> {
  const { anchors } = reference
  const command = readCommand(intent)
  const proof = verifyIntentProof(intent.proof, {
    anchors,
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
  const claims = intent.tokens.map((token) => readTaskToken(token)).flatMap((token) => (token.ok ? [token.value.claims] : []))
  const [root] = claims
  const human = humans.findLast(({ sub }) => sub === root?.sub)
  return {
    title: `human ${root?.sub ?? 'unreadable'} authorised job ${intent.jobId}`,
    checks: [await consentCheck(root, human, reference)],
    children: [tokenNode(claims, intent, at, checks)],
  }
}

async function consentCheck(root: TaskTokenClaims | undefined, human: Human | undefined, { anchors }: Reference): Promise<Check> {
  const what = 'signed by the human’s passkey, for no less than the root token grants'
  if (!root || !human) return unchecked(what, 'no verified entry of the human is kept')
  return checkOf(what, await verifyConsent({ root, human, expected: anchors.webauthn, skewMs: SKEW_MS }))
}

/** Tokens nest as the delegation did: the acting agent and its proof lie innermost. */
function tokenNode(claims: readonly TaskTokenClaims[], intent: Intent, at: string, checks: readonly Check[]): TraceNode {
  const [first, ...rest] = claims
  if (!first) return { title: `intent ${intent.intentId}  [${at}]`, checks, children: [] }
  const until = new Date(first.exp * 1000).toISOString()
  const grants = first.authorization_details.map(
    ({ locations, actions, limits }) => `${actions.join('/')} on ${locations.join('/')} ${limitsOf(limits)}`,
  )
  return {
    title: `${first.parent ? 'token' : 'root token'} ${first.jti} to ${first.act.sub} until ${until}: ${grants.join('; ')}`,
    checks: [],
    children: [tokenNode(rest, intent, at, checks)],
  }
}

const limitsOf = (limits: TaskTokenClaims['authorization_details'][number]['limits']) =>
  Object.entries(limits)
    .map(([name, { min, max, unit }]) => `${name} ${min ?? ''}..${max ?? ''} ${unit}`)
    .join(', ')

const SKEW_MS = 30_000
