import { type KeyedIssuer, loadIssuer } from '@interlock/trust/issue'
import type { Layout } from './layout.ts'

/** The local intermediate, to issue what neither `dev init` nor the registry did. */
export const loadIssuingAuthority = (layout: Layout): KeyedIssuer =>
  loadIssuer(layout.key('issuing-authority'), layout.chain('issuing-authority'))
