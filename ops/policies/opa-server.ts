import { join } from 'node:path'
import type { Opa } from '@interlock/policy/opa'
import { answersHttp } from '../local/answers-http.ts'
import { freePort } from '../local/ports.ts'
import { RunningProcess } from '../local/process.ts'
import { regoDigests } from './bundle.ts'
import { folder } from './compile.ts'

export type OpaServer = {
  /** What OPA's own evaluator says of an input: undefined where the decision is. */
  ask(input: unknown): Promise<unknown>
  stop(): Promise<void>
}

const readyMs = 30_000

/** OPA as it runs elsewhere, with the Rego and the data of this folder: what our module must agree with. */
export async function startOpaServer(opa: Opa, directory: string): Promise<OpaServer> {
  const address = `127.0.0.1:${await freePort()}`
  const files = [...Object.keys(regoDigests()), 'data.json']
  const server = new RunningProcess({
    name: 'opa',
    command: opa.command,
    args: ['run', '--server', '--addr', address, '--log-level', 'error', '--disable-telemetry', ...files],
    env: { HOME: directory, PATH: process.env.PATH },
    cwd: folder,
    logFile: join(directory, 'opa.log'),
  })
  await server.untilReady(() => answersHttp(`http://${address}/health`), readyMs)
  return {
    ask: async (input) => {
      const response = await fetch(`http://${address}/v1/data/interlock/bounds/decision`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ input }),
      })
      if (!response.ok) throw new Error(`OPA says ${response.status}: ${await response.text()}`)
      return ((await response.json()) as { result?: unknown }).result
    },
    stop: () => server.stop(),
  }
}
