import { z } from 'zod'
import { rangeSchema } from './authorization-details.ts'
import { budgetNameSchema, rateSchema, useSchema } from './budget.ts'
import { programProfileSchema } from './program-machine.ts'
import { windowSchema } from './window.ts'

const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/)
const time = z.int().min(0).max(253_402_300_799_999)
const assurance = z.enum(['software', 'tpm', 'tee'])

/** control.agents, id `definition:<name>`: what an agent is. Its hash is the digest of the RFC 8785 JSON of `definition`. */
export const agentDefinitionSchema = z.strictObject({
  kind: z.literal('definition'),
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
  hash: base64url.length(43),
  definition: z.strictObject({
    modelDigest: z.string().max(200),
    systemPrompt: z.string().max(100_000),
    toolManifest: z.array(z.string().max(200)).max(200),
    version: z.string().max(40),
    /** Definitions whose instances it may bring up under itself; absent means none. */
    subAgents: z.array(z.string().max(64)).max(32).optional(),
  }),
  /** The human who answers for it: in every decision over what its instances ask. */
  owner: z.string().max(256),
  state: z.enum(['draft', 'active', 'suspended', 'retired']),
})

/**
 * control.agents, id `instance:<SPIFFE ID>`: one running agent and what is known of the platform under it. With a SPIFFE ID of another trust domain, an agent of a
 * partner's, for which the owner of our definition answers.
 */
const agentInstanceSchema = z.strictObject({
  kind: z.literal('instance'),
  spiffeId: z.string().max(2048),
  definition: z.string().max(64),
  assurance,
  /** When its evidence was last appraised, milliseconds since 1970. */
  appraisedAt: time,
  /** Lapsed: its platform was not appraised in time. That ends by the next good appraisal; `suspended` only by a new admission. */
  state: z.enum(['active', 'lapsed', 'suspended', 'retired']),
  /** SPIFFE ID of the agent that brought it up, of a sub-agent: it counts as long as its parent does. */
  parent: z.string().max(2048).optional(),
})

/** control.agents, id `human:<sub>`: who may authorise and approve, and their passkeys. */
export const humanSchema = z.strictObject({
  kind: z.literal('human'),
  sub: z.string().max(256),
  roles: z.array(z.enum(['requester', 'approver', 'operator'])).max(8),
  state: z.enum(['active', 'suspended', 'retired']),
  credentials: z
    .array(
      z.strictObject({
        id: base64url.max(1400),
        /** COSE_Key, base64url. */
        publicKey: base64url.max(2000),
        backupEligible: z.boolean(),
      }),
    )
    .max(16),
})

export const agentEntrySchema = z.discriminatedUnion('kind', [agentDefinitionSchema, agentInstanceSchema, humanSchema])

/** How one parameter of a capability is read: a quantity in a dimension with the machine's own limits, a choice, or text. */
export const parameterSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('quantity'),
    limits: rangeSchema,
    required: z.boolean(),
    /** digits after the point, in the limits' unit */ decimals: z.int().min(0).max(12),
  }),
  z.strictObject({ kind: z.literal('choice'), values: z.array(z.string().max(64)).min(1).max(64), required: z.boolean() }),
])

/** When a device's own evidence was last appraised, milliseconds since 1970, and how old that may become. */
const appraisal = { appraisedAt: time, appraisalAgeMsMax: z.int().min(1000) }

/** By what a device proves in which state it is, and signs its acks. */
export const deviceAttestationSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('tpm'),
    /** TPMT_PUBLIC of the attestation key, base64url. */
    attestationKey: base64url.max(2000),
    /** SHA-256 bank PCRs that each ack quotes, ascending. */
    pcrs: z.array(z.int().min(0).max(23)).min(1).max(24),
    /** base64url SHA-256 over the selected PCRs' values in order. */
    pcrDigest: base64url.length(43),
    ...appraisal,
  }),
  z.strictObject({
    kind: z.literal('dice'),
    /** SubjectPublicKeyInfo of the chain's last key, base64url: other code, configuration or authority has another key. */
    leafKey: base64url.max(200),
    ...appraisal,
  }),
])

/** control.devices, id `<device>`: what a device is, can do, and the key it signs its acks with. */
export const deviceEntrySchema = z.strictObject({
  device: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
  spiffeId: z.string().max(2048),
  description: z.string().max(400),
  /** Lapsed: as of an agent's instance. */
  state: z.enum(['active', 'lapsed', 'suspended', 'retired']),
  /** The least assurance that the acting agent's platform must have. */
  demandsAssurance: assurance,
  /** The oldest appraisal of the agent's platform that it accepts, milliseconds. */
  appraisalAgeMsMax: z.int().min(1000),
  /** What it is set up for now; capabilities may ask for one of some modes. */
  mode: z.string().max(64).optional(),
  /** It is held by one job at a time: by who used it last, until that job has ended nothing on it for so long, milliseconds. */
  exclusiveForMs: z.int().min(1000).max(86_400_000).optional(),
  /** When nothing is done with it. */
  maintenance: z.array(windowSchema).max(32).optional(),
  /** What a job, and all jobs together, may ask of it within a time (ATTACKS 71, 72). */
  rates: z.array(rateSchema).max(8).optional(),
  capabilities: z.record(
    z.string().max(64),
    z.strictObject({
      description: z.string().max(400),
      risk: z.enum(['low', 'medium', 'high']),
      parameters: z.record(z.string().max(64), parameterSchema),
      /** Modes of the device in which it may be used; any where left out. */
      modes: z.array(z.string().max(64)).min(1).max(16).optional(),
      /** What the same job must have completed on this device, and how long ago at most (no spindle before the clamp). */
      requires: z
        .array(z.strictObject({ capability: z.string().max(64), withinMs: z.int().min(1000).max(3_600_000) }))
        .max(8)
        .optional(),
      /** The most that one command uses of each budget. Under a budget that is not here the capability is refused. */
      uses: z.partialRecord(budgetNameSchema, useSchema).optional(),
      /** Whether a program goes with it, and the media types it may have. */
      program: programProfileSchema.optional(),
    }),
  ),
  /** How long an order may wait before the device must have begun, and have ended, milliseconds. */
  orderValidityMs: z.int().min(100),
  completionMsMax: z.int().min(100),
  attestation: deviceAttestationSchema,
})

/** HTTPS; without TLS to this machine alone, where nobody is in between. Judged as clients read it: what stands before an `@` is no host. */
const decisionPointUrl = z.url().max(2000).refine(isSafelyAsked, 'https, or http to this machine, without a user')

function isSafelyAsked(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  if (username !== '' || password !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname))
}

/** control.policies, id `bounds`, `approval` or `decision-point`. */
export const policyEntrySchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('bounds'),
    /** What the policy calls itself, for people: the revision of its bundle. */
    revision: z.string().max(160),
    /** The revision of its entry, so that decisions can name it: it only grows, whatever the policy calls itself. */
    sequence: z.int().min(1),
    /** An OPA WASM module, base64url, and its SHA-256. */
    wasm: base64url.max(1_400_000),
    wasmSha256: base64url.length(43),
    /** Its `data` document. */
    data: z.record(z.string(), z.unknown()),
    /** Nothing is allowed without the yes of the `decision-point`: an entry of it that is missing or retired is a no. */
    decisionPoint: z.literal('required').optional(),
  }),
  z.strictObject({
    kind: z.literal('approval'),
    revision: z.string().max(200),
    /** First rule that matches wins; without a match the intent is denied. */
    rules: z
      .array(
        z.strictObject({
          device: z.string().max(64),
          capability: z.string().max(64),
          risk: z.enum(['low', 'medium', 'high', 'any']),
          /** How many different humans must allow; 0 lets it pass. */
          approvals: z.int().min(0).max(8),
          approvers: z.array(z.string().max(256)).max(32),
          expiresMs: z.int().min(100).max(86_400_000),
        }),
      )
      .max(256),
    /** Open requests a job may have; more are denied (approval fatigue). */
    openRequestsMax: z.int().min(1).max(1000),
  }),
  z.strictObject({
    kind: z.literal('decision-point'),
    revision: z.string().max(200),
    /** An entry cannot be taken back: `retired` asks nobody. */
    state: z.enum(['active', 'retired']),
    /** Access evaluation endpoint of a policy decision point (OpenID AuthZEN Authorization API 1.0 §6), which semantic-bounds asks before it allows. */
    url: decisionPointUrl,
    /** How long an answer may take, whole, milliseconds: no answer is a no. */
    timeoutMs: z.int().min(10).max(5000),
  }),
])

/** control.revocations, id `<kind>:<subject>`: what no longer counts, from when on. A compacted table has no deletion: an entry stays. */
export const revocationEntrySchema = z.strictObject({
  kind: z.enum(['agent', 'definition', 'certificate', 'token', 'job', 'human', 'standing-grant', 'device', 'enforcer-key']),
  /** SPIFFE ID, definition hash, x5t#S256, `<iss> <jti>`, job, human, standing grant's id, device, key id. */
  subject: z.string().min(1).max(2200),
  from: time,
  reason: z.string().max(400),
})

/** control.stops, id `<scope>:<subject>`: nothing moves for it until it is lifted; orders decided up to `changedAt` never run. */
export const stopEntrySchema = z.strictObject({
  scope: z.enum(['all', 'job', 'agent', 'device']),
  /** Empty for `all`. */
  subject: z.string().max(2048),
  state: z.enum(['stopped', 'lifted']),
  changedAt: time,
  reason: z.string().max(400),
})

const trustDomain = z.string().regex(/^[a-z0-9._-]{1,255}$/)
/** DER certificates, base64url. */
const roots = z.array(base64url.max(16_000)).max(8)
/** `spiffe_sequence` (SPIFFE Trust Domain and Bundle §4.1.1). */
const sequence = z.int().min(0)

/**
 * control.federation, id `<trust domain>`. A partner's roots as its bundle endpoint last gave them, and until when they count: they are for names in its own trust domain and nothing
 * else. Our own bundle is there for its sequence alone; nobody learns our roots from a topic.
 */
export const federationEntrySchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('partner'),
    trustDomain,
    /** None where the partner has withdrawn all of them. */
    roots,
    /** Absent where the partner's bundle has none. */
    sequence: sequence.optional(),
    refreshedAt: time,
    /** From then on none of it counts: the partner did not answer for too long, or we ended the federation. */
    expiresAt: time,
  }),
  z.strictObject({ kind: z.literal('own'), trustDomain, roots, sequence }),
])

export const controlTables = {
  'control.agents': agentEntrySchema,
  'control.devices': deviceEntrySchema,
  'control.policies': policyEntrySchema,
  'control.revocations': revocationEntrySchema,
  'control.stops': stopEntrySchema,
  'control.federation': federationEntrySchema,
} as const
export type ControlTable = keyof typeof controlTables
export type ControlValue<T extends ControlTable> = z.infer<(typeof controlTables)[T]>

/** The signed envelope of each entry. */
export const controlStatementSchema = z.strictObject({
  table: z.enum(Object.keys(controlTables) as [ControlTable, ...ControlTable[]]),
  id: z.string().min(1).max(2300),
  revision: z.int().min(1),
  updatedAt: time,
  value: z.unknown(),
})

export type AgentDefinition = z.infer<typeof agentDefinitionSchema>
export type AgentInstance = z.infer<typeof agentInstanceSchema>
export type Human = z.infer<typeof humanSchema>
export type AgentEntry = z.infer<typeof agentEntrySchema>
export type DeviceEntry = z.infer<typeof deviceEntrySchema>
export type ParameterProfile = z.infer<typeof parameterSchema>
export type PolicyEntry = z.infer<typeof policyEntrySchema>
export type BoundsPolicy = Extract<PolicyEntry, { kind: 'bounds' }>
export type DecisionPointPolicy = Extract<PolicyEntry, { kind: 'decision-point' }>
export type ApprovalPolicy = Extract<PolicyEntry, { kind: 'approval' }>
export type RevocationEntry = z.infer<typeof revocationEntrySchema>
export type StopEntry = z.infer<typeof stopEntrySchema>
export type FederationEntry = z.infer<typeof federationEntrySchema>
export type Partner = Extract<FederationEntry, { kind: 'partner' }>
export type ControlStatement = z.infer<typeof controlStatementSchema>
export type Assurance = z.infer<typeof assurance>
