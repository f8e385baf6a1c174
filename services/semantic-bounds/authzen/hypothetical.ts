import { createHash } from 'node:crypto'
import {
  accepted,
  type CommandDigest,
  commandSchema,
  type DecisionStatement,
  deviceGrantSchema,
  type Intent,
  type Result,
  refused,
  type SpiffeId,
} from '@interlock/contracts'
import type { DelegationObligations, IdentityObligations, StageInput } from '@interlock/enforcer'
import { canonicalBytes, digest } from '@interlock/trust'
import { z } from 'zod'
import { type Evaluation, resourceType, subjectType } from './evaluation.ts'

export type HypotheticalReason = 'subject-type-unknown' | 'resource-type-unknown' | 'command-malformed'

/** What a question may say of a command beyond who, what and where. An unknown member is refused: whoever wrote it meant something by it. */
const contextSchema = z.strictObject({
  parameters: commandSchema.shape.parameters,
  /** G-code, as text. */
  program: z.strictObject({ mediaType: z.string().min(1).max(100), text: z.string().min(1).max(200_000) }).optional(),
  /** What a job would have granted; without it only machine and policy limit. */
  grant: z.strictObject({ limits: deviceGrantSchema.shape.limits }).optional(),
  human: z.string().max(256).default(''),
  job: z.string().max(128).default(''),
})

/** A minute: nothing of a hypothetical command is kept for longer than its answer. */
const lifeMs = 60_000

/** A command that nobody submitted, in the form in which the stage decides on commands. No signature stands behind any of it. */
export function hypothetical(
  { subject, resource, action, context }: Evaluation,
  now: number,
): Result<StageInput, HypotheticalReason> {
  if (subject.type !== subjectType) return refused('subject-type-unknown', { known: subjectType })
  if (resource.type !== resourceType) return refused('resource-type-unknown', { known: resourceType })
  const said = contextSchema.safeParse(context ?? {})
  if (!said.success) return refused('command-malformed', { at: z.prettifyError(said.error) })
  const { parameters, program, grant, human, job } = said.data
  const bytes = program ? Buffer.from(program.text) : null
  const command = commandSchema.safeParse({
    ...{ device: resource.id, capability: action.name, parameters },
    ...(program && bytes && { program: { mediaType: program.mediaType, sha256: sha256(bytes), bytes: bytes.length } }),
  })
  if (!command.success) return refused('command-malformed', { at: z.prettifyError(command.error) })

  const identity: IdentityObligations = {
    ...{ agent: subject.id as SpiffeId, definition: '', definitionHash: '', owner: '', assurance: 'software', certificate: '' },
  }
  const limits = (grant?.limits ?? {}) as DelegationObligations['grant']['limits']
  const delegation: DelegationObligations = { human, actors: [], tokens: [], grant: { limits }, budgets: [], since: now }
  return accepted({
    intent: { ...intentOf(resource.id, action.name, job), command: canonicalBytes(command.data), program: bytes },
    intentBytes: Buffer.alloc(0),
    command: command.data,
    statements: [statementOf('identity-verify', identity, now), statementOf('delegation-check', delegation, now)],
    statementDigests: [],
    approvals: [],
    position: { topic: '', partition: 0, offset: 0 },
    key: job,
  })
}

const intentOf = (device: string, capability: string, job: string): Omit<Intent, 'command' | 'program'> => ({
  ...{ intentId: '' as Intent['intentId'], jobId: job as Intent['jobId'], device: device as Intent['device'], capability },
  ...{ tokens: [], proof: '' },
})

function statementOf(stage: DecisionStatement['stage'], obligations: object, now: number): DecisionStatement {
  const nothing = digest(Buffer.alloc(0)) as CommandDigest
  return {
    ...{ stage, eventId: '', intentId: '', commandDigest: nothing, previous: nothing, verdict: 'ALLOW', reasons: [] },
    ...{ obligations: { ...obligations }, policy: '', decidedAt: now, expiresAt: now + lifeMs },
  }
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('base64url')
