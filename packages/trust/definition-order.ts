import { type AgentDefinition, agentDefinitionSchema, type Result } from '@interlock/contracts'
import { z } from 'zod'
import { canonicalBytes } from './canonical.ts'
import { digest } from './digest.ts'
import {
  type OperatorStatementContext,
  type OperatorStatementReason,
  operatorClaims,
  signOperatorStatement,
  verifyOperatorStatement,
} from './operator-statement.ts'
import type { SigningKey } from './signing-key.ts'

const typ = 'definition+jwt'
/** An order is carried out at once or not at all. */
const validityMsMax = 600_000

const { name, hash, owner, state } = agentDefinitionSchema.shape
const schema = operatorClaims({
  name,
  /** `definitionHashOf` the text, which goes beside the order. */
  hash,
  owner,
  state,
  /**
   * What the operator saw in the registry: `<hash> <state>`, empty where there was nothing. An order over something else is refused, so that of two
   * operators neither undoes the other unseen, and an old order says nothing any more.
   */
  previous: z.string().max(64),
})

/** A definition as it shall be from now on. */
export type DefinitionOrder = z.infer<typeof schema>

/** What an agent is: base64url SHA-256 of the RFC 8785 JSON of its definition. Any change is another agent. */
export const definitionHashOf = (value: AgentDefinition['definition']): string => digest(canonicalBytes(value))

/** What an order names as `previous`. */
export const standingOf = (entry: { readonly hash: string; readonly state: string } | undefined): string =>
  entry ? `${entry.hash} ${entry.state}` : ''

export function signDefinitionOrder(claims: DefinitionOrder, key: SigningKey): Promise<string> {
  return signOperatorStatement(typ, claims, key)
}

/** An operator of the trust bundle orders it, of us, and the time is right. */
export function verifyDefinitionOrder(
  text: string,
  context: OperatorStatementContext,
): Result<DefinitionOrder, OperatorStatementReason> {
  return verifyOperatorStatement(text, { typ, schema, validityMsMax }, context)
}
