import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseSettings } from '@interlock/enforcer'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { releases } from '../setup/releases.mjs'
import { images } from './images.ts'

type Container = {
  readonly image: string
  readonly build?: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly depends_on?: Readonly<Record<string, unknown>>
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly read_only?: boolean
}
type Compose = { readonly services: Readonly<Record<string, Container>>; readonly volumes: Readonly<Record<string, unknown>> }

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const { services, volumes } = parse(read('docker-compose.yml'), { merge: true }) as Compose
const containers = Object.entries(services)
const ours = containers.filter(([, { build }]) => build !== undefined)
const processes = readdirSync(new URL('services/', root))

/** Keys are named by SPIFFE path, services by folder. */
const identities: Readonly<Record<string, string>> = { 'token-service': 'service-token', registry: 'service-registry' }
const identityOf = (name: string) => identities[name] ?? name

describe('docker-compose.yml', () => {
  it.each(processes)('runs %s with settings that it accepts', (name) => {
    const { command, environment, healthcheck } = services[name] as Container
    expect(command).toEqual(['node', `services/${name}/main.ts`])
    const settings = parseSettings(withDefaults(environment ?? {}))
    expect(settings.httpHost).toBe('0.0.0.0')
    expect(healthcheck?.test.join(' ')).toContain(`:${settings.httpPort}/readyz`)
    if (settings.key !== undefined)
      expect(settings).toMatchObject({
        key: `/trust/keys/${identityOf(name)}.key.pem`,
        certificate: `/trust/keys/${identityOf(name)}.chain.pem`,
      })
    if (name === 'audit') expect(settings.clickhouse).toMatch(/^http:\/\/audit:[^@]+@clickhouse:8123\/interlock$/)
  })

  it.each(ours)('%s runs a file that is there and goes into the image, on a root it cannot write', (_, {
    command,
    read_only,
  }) => {
    const [program, file = ''] = command ?? []
    expect(program).toBe('node')
    expect(existsSync(new URL(file, root)) || processes.some((name) => file === `services/${name}/main.ts`)).toBe(true)
    expect(read('Dockerfile')).toMatch(new RegExp(`^COPY ${file.split('/')[0]} `, 'm'))
    expect(read_only).toBe(true)
  })

  it('takes the versions of the local stack', () => {
    expect(services.kafka?.image).toBe(images.kafka)
    expect(services['schema-registry']?.image).toBe(images.registry)
    expect(services.clickhouse?.image).toBe(images.clickhouse)
    expect(images.kafka).toContain(`:${releases.kafka.version}`)
    expect(images.registry).toContain(`:${releases.apicurio.version}`)
    const { optionalDependencies, devDependencies } = JSON.parse(read('package.json'))
    const engine = /^\d+\.\d+/.exec(Object.values<string>(optionalDependencies)[0] ?? '')?.[0]
    expect(images.clickhouse).toContain(`:${engine}`)
    for (const [, version] of read('Dockerfile').matchAll(/^FROM node:([\d.]+)/gm)) expect(version).toBe(devDependencies.node)
  })

  it.each(containers)('%s has an image with a version, and ports on loopback only', (_, { image, ports = [] }) => {
    expect(image).toMatch(/:(\d+\.\d+(\.\d+)?|local)$/)
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
  })

  it.each(containers)('%s mounts and waits for what is declared', (_, { volumes: mounts = [], depends_on = {} }) => {
    for (const mount of mounts) {
      const [source = ''] = mount.split(':')
      if (source.startsWith('.')) expect(existsSync(fileURLToPath(new URL(source, root)))).toBe(true)
      else expect(volumes).toHaveProperty(source)
    }
    for (const name of Object.keys(depends_on)) expect(services).toHaveProperty(name)
  })

  it('enrols the machines it runs, each with the TPM it runs', () => {
    const tpms = (services.init?.environment?.INTERLOCK_TPMS ?? '').split(',')
    for (const [, { environment }] of containers.filter((one) => one[1].environment?.INTERLOCK_DEVICE !== undefined)) {
      expect(tpms).toContain(`${environment?.INTERLOCK_DEVICE}=${environment?.INTERLOCK_TPM}`)
      expect(services).toHaveProperty(environment?.INTERLOCK_TPM?.split(':')[0] ?? '')
    }
    expect(tpms).toHaveLength(2)
  })
})

describe('the image', () => {
  it('runs as a user who is not root', () => {
    expect(read('Dockerfile').trimEnd().split('\n').at(-1)).toBe('USER node')
  })

  it('has every folder that a volume is mounted on: else Docker makes it root’s, and nobody can write there', () => {
    const folders = /^ && mkdir -p (.*?) \\$/m.exec(read('Dockerfile'))?.[1]?.split(' ')
    expect(read('Dockerfile')).toContain(` && chown node:node ${folders?.join(' ')}`)
    const ours = containers.filter(([, { image }]) => image === 'interlock:local')
    const mounted = ours.flatMap(([, { volumes: mounts = [] }]) => mounts.map((mount) => mount.split(':')[1]))
    expect(mounted.length).toBeGreaterThan(0)
    for (const folder of mounted) expect(folders).toContain(folder)
  })

  it('has every file that packages read from the root', () => {
    for (const path of ['topics.yaml', 'schemas', 'ops'])
      expect(read('Dockerfile')).toMatch(new RegExp(`^COPY .*\\b${path}\\b`, 'm'))
  })
})

/** As compose does where the variable is not set. */
function withDefaults(environment: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, value.replace(/\$\{\w+:-([^}]*)\}/g, '$1')]),
  )
}
