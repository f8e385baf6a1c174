import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type InitRequest, initTrustDomain, type Layout, writeStackFile } from '@interlock/cli'
import { stageNames } from '@interlock/contracts'
import { readPolicyBundle } from '../policies/bundle.ts'
import { appraiseDevice } from './appraise-device.ts'
import { type Device, startDevice } from './device.ts'
import { freePort } from './ports.ts'
import { type Log, saying } from './progress.ts'
import { publishEntries } from './publish-entries.ts'
import { Service } from './service.ts'
import { clickHouseUrl, type Stack } from './stack.ts'
import { publishTpmRoots, type RunningTpm, startTpm, tpmRoots } from './tpm.ts'

export const serviceNames: readonly string[] = [...stageNames, 'outcomes', 'audit', 'token-service', 'registry']
export const deviceNames: readonly string[] = ['laser-1', 'mill-1']

export type SystemRequest = {
  /** The trust domain; the stack's own directory may be the same. */
  readonly directory: string
  readonly log: Log
  /** All of them where left out. */
  readonly services?: readonly string[]
  readonly devices?: readonly string[]
  /** The one of ops/policies where left out. */
  readonly policy?: NonNullable<InitRequest['policy']>
}

export type System = {
  readonly layout: Layout
  readonly services: readonly Service[]
  readonly devices: readonly Device[]
  /** One more process of a service, with its own log and, where given, other settings. Stopped with the system, unless before. */
  startSecond(name: string, env?: Readonly<Record<string, string>>): Promise<Service>
  /** Services first, then the machines, then their TPMs. */
  stop(): Promise<void>
}

/** A service has no main.ts. */
export class ServiceMissingError extends Error {
  readonly code = 'service-missing'
  readonly retriable = false
}

/**
 * Starts everything of ours on a running stack: the TPMs, the trust domain with its control tables, the machines, the services.
 * Writes stack.json, by which `interlock` finds it.
 */
export async function startSystem(stack: Stack, request: SystemRequest): Promise<System> {
  const directory = resolve(request.directory)
  const { log, services: names = serviceNames, devices: deviceList = deviceNames } = request
  for (const name of names) assertEntry(name)
  const tpms: RunningTpm[] = []
  const devices: Device[] = []
  const services: Service[] = []
  const stop = async () => {
    await Promise.all(services.map((service) => service.stop()))
    await Promise.all(devices.map(({ service }) => service.stop()))
    await Promise.all(tpms.map((tpm) => tpm.stop()))
  }
  try {
    // One after the other: at their first start they are certified by one CA.
    for (const device of deviceList) tpms.push(await saying(log, `TPM of ${device}`, startTpm({ directory, device })))
    // The registry appraises them where it runs; else they are taken at their word.
    const enrolled = names.includes('registry') ? [] : tpms.map(({ device, enrolment }) => ({ device, ...enrolment }))
    const policy = { policy: request.policy ?? readPolicyBundle() }
    const { layout, entries } = await initTrustDomain({ directory, devices: enrolled, ...policy, now: Date.now() })
    await saying(log, 'control tables', publishEntries(stack, entries))
    const { url, username, password, database } = stack.clickhouse
    // Its address is in tokens' requests and in stack.json, so that it must be the same after a restart.
    const oauthPort = names.includes('token-service') ? await freePort() : undefined
    const enrolmentPort = names.includes('registry') ? await freePort() : undefined
    const enrolment = enrolmentPort === undefined ? undefined : `http://127.0.0.1:${enrolmentPort}`
    if (enrolment !== undefined) publishTpmRoots(directory)
    writeStackFile(layout, {
      kafka: stack.kafka,
      registry: stack.registry,
      clickhouse: { url, username, password, database },
      ...(oauthPort !== undefined && { tokenService: `http://127.0.0.1:${oauthPort}` }),
      ...(enrolment !== undefined && { enrolment }),
    })

    const start = (name: string, logName = name, own: Readonly<Record<string, string>> = {}) =>
      startService({ stack, layout, name, logName, oauthPort, enrolmentPort, own })
    const startOne = async (name: string) => services.push(await saying(log, name, start(name)))
    const registry = enrolment === undefined ? Promise.resolve(0) : startOne('registry')
    const starts = await Promise.allSettled([
      ...tpms.map(async (tpm) => {
        await registry
        if (enrolment !== undefined)
          await saying(log, `appraisal of ${tpm.device}`, appraiseDevice({ tpm, layout, registry: enrolment }))
        const device = startDevice({ device: tpm.device, tpm, stack, layout, enrolment })
        devices.push(await saying(log, `machine ${tpm.device}`, device))
      }),
      registry,
      ...names.filter((name) => name !== 'registry').map(startOne),
    ])
    const failed = starts.find((one) => one.status === 'rejected')
    if (failed) throw failed.reason
    services.sort((one, other) => names.indexOf(one.name) - names.indexOf(other.name))
    return {
      layout,
      services: [...services],
      devices,
      stop,
      startSecond: async (name, env) => {
        const second = await start(name, `${name}-second`, env)
        services.push(second)
        return second
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

const entryOf = (name: string) => fileURLToPath(new URL(`../../services/${name}/main.ts`, import.meta.url))

function assertEntry(name: string): void {
  if (existsSync(entryOf(name))) return
  throw new ServiceMissingError(`services/${name}/main.ts is not there: there is no service ${name}`)
}

type ServiceToStart = {
  readonly stack: Stack
  readonly layout: Layout
  readonly name: string
  readonly logName: string
  readonly oauthPort: number | undefined
  readonly enrolmentPort: number | undefined
  /** Settings that go before ours. */
  readonly own: Readonly<Record<string, string>>
}

/** Keys are named by SPIFFE path, services by folder. */
const identities: Readonly<Record<string, string>> = { 'token-service': 'service-token', registry: 'service-registry' }

function startService({ stack, layout, name, logName, oauthPort, enrolmentPort, own }: ServiceToStart): Promise<Service> {
  const identity = identities[name] ?? name
  const hasKey = existsSync(layout.key(identity))
  const env = {
    INTERLOCK_KAFKA: stack.kafka,
    INTERLOCK_REGISTRY: stack.registry,
    INTERLOCK_TRUST_BUNDLE: layout.trustBundle,
    ...(hasKey ? { INTERLOCK_KEY: layout.key(identity), INTERLOCK_CERTIFICATE: layout.chain(identity) } : {}),
    ...(name === 'semantic-bounds' ? { INTERLOCK_PROGRAMS: layout.programs } : {}),
    ...(name === 'token-service' ? { INTERLOCK_OAUTH_PORT: String(oauthPort) } : {}),
    ...(name === 'registry'
      ? {
          INTERLOCK_ISSUER_KEY: layout.key('issuing-authority'),
          INTERLOCK_ISSUER_CERTIFICATE: layout.chain('issuing-authority'),
          INTERLOCK_TPM_ROOTS: tpmRoots(layout.directory),
          INTERLOCK_REGISTRY_PORT: String(enrolmentPort),
        }
      : {}),
    ...(name === 'audit' ? { INTERLOCK_CLICKHOUSE: clickHouseUrl(stack.clickhouse, 'audit') } : {}),
    ...own,
  }
  return Service.start({ name: logName, entry: entryOf(name), env, directory: layout.directory })
}
