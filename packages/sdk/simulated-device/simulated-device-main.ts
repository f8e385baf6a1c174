import { createCodec, readTopology } from '@interlock/contracts'
import { fetchSchemaIds } from '@interlock/contracts/registry'
import { openTransport } from '@interlock/tpm'
import { Kafka, logLevel } from 'kafkajs'
import { pino } from 'pino'
import { z } from 'zod'
import { readDeviceTrust } from '../adapter/device-trust.ts'
import { startSimulatedDevice } from './simulated-device.ts'

const settings = z
  .object({
    INTERLOCK_DEVICE: z.string(),
    /** host:port */
    INTERLOCK_KAFKA: z.string(),
    INTERLOCK_REGISTRY: z.url(),
    INTERLOCK_TRUST_BUNDLE: z.string(),
    /** host:port of a software TPM, or the path of a TPM's device file. */
    INTERLOCK_TPM: z.string(),
    /** File of the journal of orders; it must survive restarts. */
    INTERLOCK_JOURNAL: z.string(),
    INTERLOCK_LOG: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  })
  .parse(process.env)

const service = `device-${settings.INTERLOCK_DEVICE}`
const log = pino({ level: settings.INTERLOCK_LOG, base: { service } })
log.info({ settings }, 'settings')

const topology = readTopology()
const codec = createCodec({ topology, ids: await fetchSchemaIds(settings.INTERLOCK_REGISTRY, topology) })
const tpm = await openTransport(settings.INTERLOCK_TPM)
const device = await startSimulatedDevice({
  device: settings.INTERLOCK_DEVICE,
  kafka: new Kafka({ clientId: service, brokers: [settings.INTERLOCK_KAFKA], logLevel: logLevel.NOTHING }),
  codec,
  trust: readDeviceTrust(settings.INTERLOCK_TRUST_BUNDLE),
  journal: settings.INTERLOCK_JOURNAL,
  tpm,
  log,
  onFailure: (error) => {
    log.error({ error: String(error) }, 'the device takes no further orders')
    process.exit(1)
  },
})
log.info({ http: 0 }, 'ready')

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, async () => {
    await device.stop()
    await tpm.close()
    process.exit(0)
  })
}
