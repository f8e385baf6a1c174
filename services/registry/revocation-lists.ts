import { type AgentTables, parseSpiffeId, standingRefusal } from '@interlock/trust'
import { issueRevocationList } from '@interlock/trust/issue'
import { authorityId } from './authorities.ts'
import { assertClock } from './certificates.ts'
import type { Issued } from './issued-certificates.ts'
import { type Parts, RegistryError } from './parts.ts'

/** A list is fresh for so long, and made anew at the first question after `anewMs`: who asks often costs one signature. Milliseconds. */
const freshMs = 300_000
const anewMs = 5_000

type Made = { readonly at: number; readonly list: Promise<Buffer> }

/** The CRLs of the authorities whose certificates still count. */
export class RevocationLists {
  readonly #made = new Map<string, Made>()

  /** DER. `id` of the authority's certificate, the present one's where left out. @throws RegistryError */
  of(id: string | undefined, parts: Parts): Promise<Buffer> {
    const { authorities, now } = parts
    const issuer = id === undefined ? authorities.current : authorities.find(id, now())
    if (!issuer) throw new RegistryError('authority-unknown', { id }, 404)
    const authority = authorityId(issuer)
    const before = this.#made.get(authority)
    if (before && now() - before.at < anewMs && now() >= before.at) return before.list
    const at = Math.max(now(), (before?.at ?? 0) + 1)
    const list = assertClock(parts).then(() => {
      // Once for the whole list.
      const tables: AgentTables = { agents: parts.agents(), revocations: parts.revocations() }
      return issueRevocationList(issuer, {
        number: at,
        thisUpdateMs: at,
        nextUpdateMs: at + freshMs,
        revoked: parts.issued.revoked(authority, (issued) => isOver(issued, tables, parts.now()), at),
      })
    })
    this.#made.set(authority, { at, list })
    list.catch(() => this.#made.delete(authority))
    return list
  }
}

/** Whether identity-verify would refuse it: revoked, suspended, of a definition that changed, or without its parent. */
function isOver({ subject, thumbprint, definitionHash }: Issued, tables: AgentTables, now: number): boolean {
  const parsed = parseSpiffeId(subject)
  if (!parsed.ok) return true
  return (
    standingRefusal({ spiffeId: parsed.value.id, parsed: parsed.value, thumbprint, definitionHash }, tables, now) !== undefined
  )
}
