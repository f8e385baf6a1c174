import { spiffeBundleOf } from '@interlock/trust'
import { Hono } from 'hono'
import { type Parts, RegistryError } from './parts.ts'

/** How soon others should ask again, seconds. A root that is withdrawn stops counting for them after three times as long. */
const refreshHint = 300

/** Our trust domain's bundle (SPIFFE Trust Domain and Bundle §4): the roots as a JWK set. @throws RegistryError before its sequence is on record */
export function bundleOf({ anchors, federation }: Pick<Parts, 'anchors' | 'federation'>): Readonly<Record<string, unknown>> {
  const own = federation().get(anchors.trustDomain)
  if (own?.kind !== 'own') throw new RegistryError('bundle-not-published', undefined, 503)
  const roots = anchors.roots(anchors.trustDomain).map(({ der }) => der)
  return spiffeBundleOf(roots, own.sequence, refreshHint)
}

/** The bundle and nothing else: what partners may reach. Over TLS by the registry's own SVID it is a bundle endpoint of the profile https_spiffe. */
export function bundleApp(parts: Pick<Parts, 'anchors' | 'federation'>): Hono {
  const app = new Hono()
  app.onError((error, context) =>
    error instanceof RegistryError
      ? context.json({ error: error.code }, error.status)
      : context.json({ error: 'internal-error' }, 500),
  )
  app.get('/bundle', (context) => context.json(bundleOf(parts)))
  return app
}
