import type { ServerOptions } from 'node:https'
import { listen } from '@interlock/enforcer'
import type { Logger } from 'pino'
import { bundleApp } from './bundle-endpoint.ts'
import type { ConfiguredPartner } from './federation-settings.ts'
import { keepPartners, publishOwnBundle } from './partners.ts'
import type { Parts } from './parts.ts'

export type FederationSettings = {
  readonly partners: readonly ConfiguredPartner[]
  /** Where our bundle is served over TLS; undefined where it is not. */
  readonly bundle: { readonly host: string; readonly port: number } | undefined
  readonly identity: Pick<ServerOptions, 'key' | 'cert'>
}

/** Serves our bundle and keeps partners' fresh, until the signal. Returns the port of the bundle endpoint, and what to wait for at the end. */
export async function startFederation(
  { partners, bundle, identity }: FederationSettings,
  parts: Parts,
  log: Pick<Logger, 'info' | 'warn'>,
  signal: AbortSignal,
): Promise<{ readonly port: number | undefined; readonly ended: Promise<void> }> {
  await publishOwnBundle(parts.anchors, parts)
  const endpoint = bundle && (await listen(bundleApp(parts), bundle.host, bundle.port, identity))
  const kept = keepPartners(
    partners,
    parts,
    {
      refreshed: ({ trustDomain, sequence }) => log.info({ trustDomain, sequence }, 'a partner’s roots are fresh'),
      refused: (trustDomain, reason, detail) =>
        log.warn(
          { trustDomain, reason, detail },
          'a partner’s roots could not be refreshed: those before count until they are overdue',
        ),
    },
    signal,
  )
  const ended = kept.then(() => void endpoint?.server.close())
  return { port: endpoint?.port, ended }
}
