import { randomBytes } from 'node:crypto'
import { stageNames, type TrustBundle } from '@interlock/contracts'
import { definitionHashOf } from '@interlock/trust'
import {
  createIntermediate,
  createRoot,
  type Identity,
  type Issuer,
  issueIdentity,
  type KeyedIssuer,
} from '@interlock/trust/issue'
import { createPasskey, credentialOf, type SoftwarePasskey } from '../software-passkey.ts'
import { agentName, agents, definitions, humans, laboratory } from './laboratory.ts'

/**
 * A trust domain with all its private keys: what `interlock dev init` writes down, and what tests sign with. In production no
 * one place holds this: the registry issues certificates for keys that never leave their owner.
 */
export type TrustDomain = {
  readonly bundle: TrustBundle
  /** Enforcers by stage name, `service-registry`, `service-token`, `operator-dev`, agents as `agent-<definition>-<instance>`. */
  readonly identities: ReadonlyMap<string, Identity>
  readonly passkeys: ReadonlyMap<string, SoftwarePasskey>
  readonly root: KeyedIssuer
  /** The intermediate that signed all identities. */
  readonly issuer: KeyedIssuer
}

const services = [
  { name: 'service-registry', path: 'service/registry' },
  { name: 'service-token', path: 'service/token' },
  { name: 'operator-dev', path: 'operator/dev' },
]

export const definitionHash = (name: string): string => {
  const definition = definitions[name]
  if (!definition) throw new Error(`no definition ${name} in the laboratory`)
  return definitionHashOf(definition)
}
export const agentSpiffeId = (definition: string, instance: string): string =>
  `spiffe://${laboratory.trustDomain}/agent/${definition}/${instance}`

/** Makes the laboratory's keys and certificates. */
export async function createTrustDomain(now: number): Promise<TrustDomain> {
  const root = await createRoot(laboratory.trustDomain, now)
  const issuer = await createIntermediate(root, laboratory.trustDomain, now)
  const signers = await issueSigners(issuer, now)
  const agentIdentities = await Promise.all(agents.map((agent) => issueAgent(issuer, agent, now)))
  const { rpId, origin } = laboratory.webauthn
  const passkeys = new Map(humans.map(({ sub }) => [sub, createPasskey(sub, { rpId, origin }, randomBytes(32))]))
  return {
    bundle: {
      format: 'interlock-trust-bundle-v1',
      trustDomain: laboratory.trustDomain,
      audience: laboratory.audience,
      roots: { [laboratory.trustDomain]: [Buffer.from(root.certificate.rawData).toString('base64url')] },
      crls: [],
      signers: signers.map(({ chain }) => chain.map((certificate) => certificate.toString('base64url'))),
      webauthn: { rpId, origins: [origin] },
      humans: humans.map(({ sub, roles }) => humanEntry(sub, roles, passkeys.get(sub) as SoftwarePasskey)),
    },
    identities: new Map([...signers, ...agentIdentities].map((identity) => [identity.name, identity])),
    passkeys,
    root,
    issuer,
  }
}

export function humanEntry(sub: string, roles: readonly ('requester' | 'approver' | 'operator')[], passkey: SoftwarePasskey) {
  return { kind: 'human' as const, sub, roles: [...roles], state: 'active' as const, credentials: [credentialOf(passkey)] }
}

async function issueSigners(issuer: Issuer, now: number): Promise<Identity[]> {
  const enforcers = stageNames.map((stage) => ({ name: stage as string, path: `enforcer/${stage}` }))
  return Promise.all(
    [...enforcers, ...services].map(({ name, path }) =>
      issueIdentity(issuer, { name, spiffeId: `spiffe://${laboratory.trustDomain}/${path}` }, now),
    ),
  )
}

async function issueAgent(issuer: Issuer, agent: { definition: string; instance: string }, now: number): Promise<Identity> {
  const spiffeId = agentSpiffeId(agent.definition, agent.instance)
  const profile = { name: agentName(agent), spiffeId, definitionHash: definitionHash(agent.definition), assurance: 'software' }
  return issueIdentity(issuer, profile, now)
}
