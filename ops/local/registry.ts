import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { releases } from '../setup/releases.mjs'
import { answersHttp } from './answers-http.ts'
import { installed, javaCommand, javaEnvironment } from './java.ts'
import { Part } from './part.ts'
import { freePort } from './ports.ts'
import { RunningProcess } from './process.ts'

/** Apicurio Registry on loopback, its schemas in a file. `url` is its Confluent API. */
export async function registryPart(directory: string, logFile: string): Promise<{ part: Part; url: string }> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const args = [
    '-Xmx384m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Dquarkus.http.host=127.0.0.1',
    `-Dquarkus.http.port=${port}`,
    '-Dquarkus.management.enabled=false',
    '-Dquarkus.otel.sdk.disabled=true',
    '-Dquarkus.log.level=WARN',
    '-Dquarkus.http.access-log.enabled=false',
    '-Dapicurio.storage.kind=sql',
    '-Dapicurio.storage.sql.kind=h2',
    `-Dapicurio.datasource.url=jdbc:h2:file:${join(directory, 'registry')}`,
    '-jar',
    join(installed(releases.apicurio), `apicurio-registry-app-${releases.apicurio.version}-runner.jar`),
  ]

  async function launch(): Promise<RunningProcess> {
    mkdirSync(directory, { recursive: true })
    const settings = { name: 'the schema registry', command: javaCommand(), env: javaEnvironment(), cwd: directory }
    const registry = new RunningProcess({ ...settings, args, logFile })
    await registry.untilReady(() => answersHttp(`${origin}/apis/ccompat/v7/subjects`), 120_000)
    return registry
  }
  // Asked to end it idles for five seconds. Its database writes within half a second, and every start registers the schemas anew.
  return { part: new Part(launch, (registry) => registry.stop(1000)), url: `${origin}/apis/ccompat/v7` }
}
