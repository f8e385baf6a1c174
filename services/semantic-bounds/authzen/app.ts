import type { Tables, Verdict } from '@interlock/enforcer'
import { BoundsPolicies } from '@interlock/policy'
import { digest, equalDigest, type TrustAnchors } from '@interlock/trust'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { z } from 'zod'
import { decide } from '../decide.ts'
import { BoundsMemory } from '../memory.ts'
import { type Evaluation, evaluationSchema } from './evaluation.ts'
import { hypothetical } from './hypothetical.ts'

export type DecisionPointParts = {
  /** Digest of the bearer token of who may ask. */
  readonly tokenDigest: string
  /** Origin by which it is known to who asks. */
  readonly url: string
  readonly tables: () => Tables
  readonly trust: TrustAnchors
  readonly now: () => number
}

/** Answer to one question (§6.2). */
type Answer = { readonly decision: boolean; readonly context?: Readonly<Record<string, unknown>> }

const bodyBytesMax = 262_144
const evaluationsMax = 50

/** §7.1.2.1: when to stop. */
const semantics = ['execute_all', 'deny_on_first_deny', 'permit_on_first_permit'] as const
const evaluationsSchema = evaluationSchema.partial().extend({
  evaluations: z.array(evaluationSchema.partial()).max(evaluationsMax).optional(),
  options: z.looseObject({ evaluations_semantic: z.enum(semantics).default('execute_all') }).optional(),
})

/**
 * The rules of semantic-bounds as a policy decision point (OpenID AuthZEN Authorization API 1.0): whether a described command would lie within bounds.
 * An answer is nobody's decision: nothing is signed, reserved or remembered, and no stage believes it.
 */
export function decisionPointApp(parts: DecisionPointParts): Hono {
  const policies = new BoundsPolicies()
  const answer = (evaluation: Evaluation) => answerTo(evaluation, parts, policies)
  const app = new Hono()
  app.use(async (context, next) => {
    await next()
    // §10.1.3: who asks finds its answer again.
    const requestId = context.req.header('x-request-id')
    if (requestId !== undefined && /^[\x21-\x7e]{1,200}$/.test(requestId)) context.header('x-request-id', requestId)
  })
  // §9: metadata says where, to anybody.
  app.get('/.well-known/authzen-configuration', (context) =>
    context.json({
      policy_decision_point: parts.url,
      access_evaluation_endpoint: `${parts.url}/access/v1/evaluation`,
      access_evaluations_endpoint: `${parts.url}/access/v1/evaluations`,
    }),
  )
  app.use('/access/*', async (context, next) => {
    const [, token = ''] = /^Bearer ([\x21-\x7e]{1,4096})$/.exec(context.req.header('authorization') ?? '') ?? []
    if (equalDigest(digest(Buffer.from(token)), parts.tokenDigest)) return next()
    return context.text('Unauthorized', 401, { 'www-authenticate': 'Bearer' })
  })
  app.use('/access/*', bodyLimit({ maxSize: bodyBytesMax, onError: tooLarge }))
  app.post('/access/v1/evaluation', async (context) => {
    const asked = evaluationSchema.safeParse(await jsonOf(context))
    return asked.success ? context.json(answer(asked.data)) : context.text(z.prettifyError(asked.error), 400)
  })
  app.post('/access/v1/evaluations', async (context) => {
    const asked = evaluationsSchema.safeParse(await jsonOf(context))
    if (!asked.success) return context.text(z.prettifyError(asked.error), 400)
    const { evaluations, options, ...shared } = asked.data
    // §7.1: without a list it is the one question that the members ask.
    if (evaluations === undefined || evaluations.length === 0) {
      const single = evaluationSchema.safeParse(shared)
      return single.success ? context.json(answer(single.data)) : context.text(z.prettifyError(single.error), 400)
    }
    const answers: Answer[] = []
    for (const one of evaluations) {
      // §7.1.1: what an item says stands in the place of what is shared.
      const whole = evaluationSchema.safeParse({ ...shared, ...one })
      const given = whole.success ? answer(whole.data) : malformed(z.prettifyError(whole.error))
      answers.push(given)
      if (options?.evaluations_semantic === 'deny_on_first_deny' && !given.decision) break
      if (options?.evaluations_semantic === 'permit_on_first_permit' && given.decision) break
    }
    return context.json({ evaluations: answers })
  })
  // A fault is no answer, and who enforces takes none for a no.
  app.onError((_error, context) => context.text('Internal error', 500))
  return app
}

function answerTo(evaluation: Evaluation, { tables, trust, now }: DecisionPointParts, policies: BoundsPolicies): Answer {
  const at = now()
  const input = hypothetical(evaluation, at)
  if (!input.ok) return { decision: false, context: { reasons: [input.reason], detail: input.detail } }
  const nothing = { trust, memory: new BoundsMemory(), random: () => Buffer.alloc(32), partitions: 1 }
  const verdict = decide(input.value, { now: at, tables: tables(), ...nothing }, policies)
  return { decision: verdict.verdict === 'ALLOW', context: contextOf(verdict) }
}

function contextOf(verdict: Verdict<string>): Record<string, unknown> {
  const policy = verdict.policy === undefined ? {} : { policy: verdict.policy }
  if (verdict.verdict === 'ALLOW') return { risk: verdict.risk, ...verdict.obligations, ...policy }
  return { reasons: verdict.reasons, detail: verdict.detail, ...policy }
}

/** What was not read of the body ends the connection: whoever sent it is not to send the next question after it. */
const tooLarge = (context: Context) => context.text('Request too large', 413, { connection: 'close' })

/** §7.2.1: an item that cannot be asked is a no of its own, and says why. */
const malformed = (message: string): Answer => ({ decision: false, context: { error: { status: 400, message } } })

async function jsonOf(context: Context): Promise<unknown> {
  if (!/^application\/json\b/i.test(context.req.header('content-type') ?? '')) return undefined
  return context.req.json().catch(() => undefined)
}
