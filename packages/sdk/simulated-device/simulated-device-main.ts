import { createCodec, readTopology } from '@interlock/contracts'
import { fetchSchemaIds } from '@interlock/contracts/registry'
import { openProgramStore } from '@interlock/programs'
import { openTransport } from '@interlock/tpm'
import { Kafka, logLevel } from 'kafkajs'
import { pino } from 'pino'
import { z } from 'zod'
import { readDeviceTrust } from '../adapter/device-trust.ts'
import { keepAppraised } from '../enrolment/keep-appraised.ts'
import { bootPcrs } from './measured-boot.ts'
import { startSimulatedDevice } from './simulated-device.ts'

/** Milliseconds; an appraisal counts for an hour here. */
const appraisedEvery = 1_200_000

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
    /** Origin of the agent identity registry that appraises the device; absent where nobody does. */
    INTERLOCK_ENROLMENT: z.url().optional(),
    /** Where large programs lie: file:///folder or the URL of a bucket, with a file of its credentials. */
    INTERLOCK_PROGRAMS: z.url().optional(),
    INTERLOCK_PROGRAMS_CREDENTIALS: z.string().min(1).optional(),
    INTERLOCK_LOG: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  })
  .parse(process.env)

const service = `device-${settings.INTERLOCK_DEVICE}`
const log = pino({ level: settings.INTERLOCK_LOG, base: { service } })
log.info({ settings }, 'settings')

const topology = readTopology()
const codec = createCodec({ topology, ids: await fetchSchemaIds(settings.INTERLOCK_REGISTRY, topology) })
const trust = readDeviceTrust(settings.INTERLOCK_TRUST_BUNDLE)
const tpm = await openTransport(settings.INTERLOCK_TPM)
const device = await startSimulatedDevice({
  device: settings.INTERLOCK_DEVICE,
  kafka: new Kafka({ clientId: service, brokers: [settings.INTERLOCK_KAFKA], logLevel: logLevel.NOTHING }),
  codec,
  trust,
  journal: settings.INTERLOCK_JOURNAL,
  tpm,
  ...(settings.INTERLOCK_PROGRAMS && {
    programs: openProgramStore(settings.INTERLOCK_PROGRAMS, settings.INTERLOCK_PROGRAMS_CREDENTIALS),
  }),
  log,
  onFailure: (error) => {
    log.error({ error: String(error) }, 'the device takes no further orders')
    process.exit(1)
  },
})
const endAppraisals = appraisals()
log.info({ http: 0 }, 'ready')

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, async () => {
    await endAppraisals()
    await device.stop()
    await tpm.close()
    process.exit(0)
  })
}

function appraisals(): () => Promise<void> {
  const { INTERLOCK_ENROLMENT: registry, INTERLOCK_DEVICE: name } = settings
  if (registry === undefined) return async () => {}
  const subject = `spiffe://${trust.anchors.trustDomain}/device/${name}`
  const onFailure = (error: unknown) => log.warn({ error: String(error) }, 'not appraised; tried again')
  return keepAppraised({ registry, transport: tpm, pcrs: bootPcrs, subject, every: appraisedEvery, onFailure })
}
