import type { AgentEntry, ControlStatement, DeviceEntry, RevocationEntry } from '@interlock/contracts'
import {
  accountDisabled,
  assuranceLevelChange,
  credentialChange,
  deviceComplianceChange,
  type eventTypes,
  sessionRevoked,
} from './event-types.ts'

/** RFC 9493 subject identifier, or a complex one of SSF 1.0 §3.2. */
export type SubjectIdentifier = { readonly format: string; readonly [member: string]: unknown }

export type SecurityEvent = {
  readonly type: (typeof eventTypes)[number]
  readonly subject: SubjectIdentifier
  readonly payload: Readonly<Record<string, unknown>>
}

/** Tables whose entries may be told of. */
export const signalTables = ['control.revocations', 'control.agents', 'control.devices'] as const

export type Teller = {
  /** `iss` of the SETs: under it humans are known. */
  readonly issuer: string
  readonly trustDomain: string
  /** Whether an operator signed the entry, or a service. */
  readonly isByOperator: boolean
}

const uri = (text: string): SubjectIdentifier => ({ format: 'uri', uri: text })
const opaque = (id: string): SubjectIdentifier => ({ format: 'opaque', id })
const complex = (members: Readonly<Record<string, SubjectIdentifier>>): SubjectIdentifier => ({ format: 'complex', ...members })

/** What an entry of a control table means to a receiver: undefined where it says that somebody counts. Pure. */
export function securityEventOf(statement: ControlStatement, teller: Teller): SecurityEvent | undefined {
  const { table, value, updatedAt } = statement
  if (table === 'control.revocations') return ofRevocation(value as RevocationEntry, teller)
  const common = commonOf(updatedAt, teller)
  if (table === 'control.agents') return ofAgentEntry(value as AgentEntry, common, teller)
  return table === 'control.devices' ? ofDeviceEntry(value as DeviceEntry, common) : undefined
}

/** CAEP 1.0 §2: optional members of each event. Times in seconds since 1970. */
const commonOf = (atMs: number, { isByOperator }: Teller, reason?: string) => ({
  event_timestamp: Math.floor(atMs / 1000),
  initiating_entity: isByOperator ? 'admin' : 'system',
  ...(reason && { reason_admin: { en: reason } }),
})
type Common = ReturnType<typeof commonOf>

function ofRevocation({ kind, subject, from, reason }: RevocationEntry, teller: Teller): SecurityEvent {
  const common = commonOf(from, teller, reason)
  const session = (identifier: SubjectIdentifier) => ({ type: sessionRevoked, subject: identifier, payload: common }) as const
  switch (kind) {
    case 'agent':
      return session(uri(subject))
    case 'token': {
      // `<iss> <jti>`; the format is of SSF 1.0 §3.4.1.
      const [iss = '', jti = ''] = subject.split(' ')
      return session({ format: 'jwt_id', iss, jti })
    }
    // Whoever it is that acts under it: a session that lasts and is known by its id.
    case 'standing-grant':
    case 'job':
      return session(complex({ session: opaque(subject) }))
    case 'definition':
      return session(complex({ application: opaque(subject) }))
    case 'human':
      return disabled(subject, teller)
    case 'device':
      return notCompliant(`spiffe://${teller.trustDomain}/device/${subject}`, common)
    case 'certificate':
    case 'enforcer-key':
      return {
        type: credentialChange,
        subject: opaque(subject),
        payload: { ...common, credential_type: 'x509', change_type: 'revoke' },
      }
  }
}

function ofAgentEntry(entry: AgentEntry, common: Common, teller: Teller): SecurityEvent | undefined {
  if (entry.state === 'active' || entry.state === 'draft') return undefined
  if (entry.kind === 'human') return disabled(entry.sub, teller)
  if (entry.kind === 'definition')
    return { type: sessionRevoked, subject: complex({ application: opaque(entry.hash) }), payload: common }
  if (entry.state !== 'lapsed') return { type: sessionRevoked, subject: uri(entry.spiffeId), payload: common }
  return {
    type: assuranceLevelChange,
    subject: uri(entry.spiffeId),
    payload: {
      ...common,
      namespace: 'urn:interlock:assurance',
      current_level: entry.assurance,
      change_direction: 'decrease',
    },
  }
}

const ofDeviceEntry = ({ state, spiffeId }: DeviceEntry, common: Common): SecurityEvent | undefined =>
  state === 'active' ? undefined : notCompliant(spiffeId, common)

const notCompliant = (spiffeId: string, common: Common): SecurityEvent => ({
  type: deviceComplianceChange,
  subject: complex({ device: uri(spiffeId) }),
  payload: { ...common, previous_status: 'compliant', current_status: 'not-compliant' },
})

const disabled = (sub: string, { issuer }: Teller): SecurityEvent => ({
  type: accountDisabled,
  subject: { format: 'iss_sub', iss: issuer, sub },
  payload: {},
})
