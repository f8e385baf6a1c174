import { createServer, type ServerOptions } from 'node:https'
import { type ServerType, serve } from '@hono/node-server'
import { Hono } from 'hono'
import type { Registry } from 'prom-client'

/** /healthz: the process lives. /readyz: memory is restored and the tables are read. /metrics for Prometheus. */
export function operationsApp(metrics: Registry, isReady: () => boolean): Hono {
  return new Hono()
    .get('/healthz', (context) => context.text('ok'))
    .get('/readyz', (context) => (isReady() ? context.text('ready') : context.text('restoring', 503)))
    .get('/metrics', async (context) => context.text(await metrics.metrics(), 200, { 'content-type': metrics.contentType }))
}

/** Resolves with the port that was taken. Plain HTTP where there is no `tls`. */
export function listen(
  app: { readonly fetch: Parameters<typeof serve>[0]['fetch'] },
  hostname: string,
  port: number,
  tls?: ServerOptions,
): Promise<{ readonly port: number; readonly server: ServerType }> {
  return new Promise((resolve, reject) => {
    const options = { fetch: app.fetch, hostname, port, ...(tls && { createServer, serverOptions: tls }) }
    const server = serve(options, (info) => resolve({ port: info.port, server }))
    server.once('error', reject)
  })
}
