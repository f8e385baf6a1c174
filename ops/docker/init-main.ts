/**
 * Runs once before the services of docker-compose.yml: topics, schemas, tables, the trust domain and its control tables.
 * Run again it changes nothing but the control entries' revisions.
 */

import { initTrustDomain, writeStackFile } from '@interlock/cli'
import { measureBoot, readDeviceTpm } from '@interlock/sdk/simulated-device'
import { openTransport } from '@interlock/tpm'
import { z } from 'zod'
import { prepareStack } from '../local/prepare.ts'
import { publishEntries } from '../local/publish-entries.ts'
import type { ClickHouse } from '../local/stack.ts'
import { readPolicyBundle } from '../policies/bundle.ts'

const settings = z
  .object({
    INTERLOCK_KAFKA: z.string(),
    INTERLOCK_REGISTRY: z.url(),
    /** Of ClickHouse, without user and path. */
    INTERLOCK_CLICKHOUSE_ORIGIN: z.url(),
    INTERLOCK_ADMIN_PASSWORD: z.string().min(1),
    INTERLOCK_AUDIT_PASSWORD: z.string().min(1),
    INTERLOCK_READER_PASSWORD: z.string().min(1),
    /** Where the trust domain lies. */
    INTERLOCK_DIRECTORY: z.string(),
    /** device=host:port, several with commas. */
    INTERLOCK_TPMS: z.string().regex(/^[a-z0-9-]+=[^,=:]+:\d+(,[a-z0-9-]+=[^,=:]+:\d+)*$/),
  })
  .parse(process.env)

const user = (username: string, password: string) => ({ username, password })
const reader = user('reader', settings.INTERLOCK_READER_PASSWORD)
const clickhouse: ClickHouse = {
  url: settings.INTERLOCK_CLICKHOUSE_ORIGIN,
  database: 'interlock',
  ...reader,
  users: {
    admin: user('admin', settings.INTERLOCK_ADMIN_PASSWORD),
    audit: user('audit', settings.INTERLOCK_AUDIT_PASSWORD),
    reader,
  },
}
const stack = { kafka: settings.INTERLOCK_KAFKA, registry: settings.INTERLOCK_REGISTRY, clickhouse }
await prepareStack(stack)
const devices = await Promise.all(settings.INTERLOCK_TPMS.split(',').map(enrol))
const { layout, entries, isNew } = await initTrustDomain({
  directory: settings.INTERLOCK_DIRECTORY,
  devices,
  policy: readPolicyBundle(),
  now: Date.now(),
})
await publishEntries(stack, entries)
const { url, database } = clickhouse
writeStackFile(layout, { kafka: stack.kafka, registry: stack.registry, clickhouse: { url, database, ...reader } })
console.log(`${isNew ? 'made' : 'kept'} the trust domain, published ${entries.length} control entries`)

async function enrol(text: string) {
  const [device = '', address = ''] = text.split('=')
  const transport = await openTransport(address)
  try {
    await measureBoot(transport, device)
    return { device, ...(await readDeviceTpm(transport)) }
  } finally {
    await transport.close()
  }
}
