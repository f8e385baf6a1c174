import { createHash, randomUUID } from 'node:crypto'
import {
  type Command,
  type CommandDigest,
  commandSchema,
  type DeviceId,
  type Intent,
  type IntentId,
  type JobId,
  type ProgramReference,
} from '@interlock/contracts'
import { inlineProgramBytesMax } from '@interlock/programs'
import { canonicalBytes, digest, type SigningKey, signIntentProof } from '@interlock/trust'

export type IntentRequest = {
  readonly job: string
  readonly device: string
  readonly capability: string
  /** Quantities by `quantity()`; choices and texts as they are. */
  readonly parameters: Readonly<Record<string, unknown>>
  /** Small ones travel in the intent; a large one is put into the store first (`keepLargeProgram` of @interlock/programs) and named here. */
  readonly program?: { readonly mediaType: string; readonly bytes: Uint8Array } | { readonly reference: ProgramReference }
  /** Task tokens, the human's root first, the acting agent's own last. */
  readonly tokens: readonly string[]
  /** The acting agent's key with its certificate chain. */
  readonly key: SigningKey
  /** The trust domain's audience, as in the trust bundle. */
  readonly audience: string
  /** UUID; a fresh one unless the caller must know it before. */
  readonly intentId?: string
  /** Milliseconds since 1970. */
  readonly now?: number
}

/** The request cannot become an intent that anybody could allow. */
export class IntentError extends Error {
  readonly code: 'command-malformed' | 'program-too-large' | 'token-missing'
  readonly retriable = false
  constructor(code: IntentError['code'], message: string) {
    super(message)
    this.name = 'IntentError'
    this.code = code
  }
}

/** A signed request for one command on one device, ready to be submitted. Does no I/O. @throws IntentError */
export async function createIntent(request: IntentRequest): Promise<Intent> {
  const leafToken = request.tokens.at(-1)
  if (!leafToken) throw new IntentError('token-missing', 'an intent needs the task tokens from the human to the acting agent')
  const command = canonicalBytes(commandOf(request))
  const intentId = (request.intentId ?? randomUUID()) as IntentId
  const proof = await signIntentProof(
    {
      audience: request.audience,
      intentId,
      jobId: request.job as JobId,
      commandDigest: digest(command) as CommandDigest,
      leafToken,
      now: request.now ?? Date.now(),
    },
    request.key,
  )
  return {
    intentId,
    jobId: request.job as JobId,
    device: request.device as DeviceId,
    capability: request.capability,
    command,
    program: request.program && 'bytes' in request.program ? Buffer.from(request.program.bytes) : null,
    tokens: [...request.tokens],
    proof,
  }
}

function commandOf({ device, capability, parameters, program }: IntentRequest): Command {
  if (program && 'bytes' in program && program.bytes.length > inlineProgramBytesMax) {
    throw new IntentError(
      'program-too-large',
      `the program has ${program.bytes.length} bytes; at most ${inlineProgramBytesMax} travel in an intent: put it into the store (keepLargeProgram)`,
    )
  }
  const command = { device, capability, parameters, ...(program && { program: referenceTo(program) }) }
  const parsed = commandSchema.safeParse(command)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
  throw new IntentError('command-malformed', `no command: ${issues}`)
}

function referenceTo(program: NonNullable<IntentRequest['program']>): ProgramReference {
  if ('reference' in program) return program.reference
  const sha256 = createHash('sha256').update(program.bytes).digest('base64url')
  return { mediaType: program.mediaType, sha256, bytes: program.bytes.length }
}
