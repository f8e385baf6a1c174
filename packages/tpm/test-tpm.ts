import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { shutdown } from './commands/startup.ts'
import { manufactureSoftwareTpm, softwareTpmArguments } from './software-tpm.ts'
import { openSocketTransport } from './transport/socket-transport.ts'
import type { TpmTransport } from './transport/transport.ts'

const host = '127.0.0.1'

/** A software TPM with endorsement certificates of its own CA, for the time of a test. */
export type TestTpm = {
  readonly port: number
  /** For tpm2-tools (TPM2TOOLS_TCTI). They and a transport cannot be connected at the same time. */
  readonly tcti: string
  /** Scratch folder. */
  readonly directory: string
  /** Folder of the CA: issuercert.pem, swtpm-localca-rootca-cert.pem. */
  readonly caDirectory: string
  open(): Promise<TpmTransport>
  /** Stops it as a power cut does (`orderly: false`) or after TPM2_Shutdown, and starts it again with the same state. */
  restart(how: { orderly: boolean }): Promise<void>
  stop(): Promise<void>
}

export const hasTpm2Tools = spawnSync('tpm2_quote', ['--version']).status === 0

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, host, () => server.close(() => resolve(true)))
  })
}

/** tpm2-tools expect the control port right after the command port. */
async function freePortPair(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000) * 2
    if ((await isFree(port)) && (await isFree(port + 1))) return port
  }
}

function launch(directory: string, port: number): ChildProcess {
  return spawn('swtpm', softwareTpmArguments(directory, port), { stdio: 'ignore' })
}

const ended = (child: ChildProcess): Promise<unknown> =>
  child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : new Promise((resolve) => child.once('exit', resolve))

export async function startTestTpm(): Promise<TestTpm> {
  const directory = await mkdtemp(join(tmpdir(), 'interlock-tpm-'))
  const caDirectory = join(directory, 'ca')
  await manufactureSoftwareTpm(directory, caDirectory)
  const port = await freePortPair()
  let child = launch(directory, port)

  async function open(): Promise<TpmTransport> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await openSocketTransport({ host, port })
      } catch (error) {
        if (attempt === 100) throw error
        await setTimeout(20)
      }
    }
  }

  async function kill(signal: NodeJS.Signals): Promise<void> {
    child.kill(signal)
    await ended(child)
  }

  async function restart({ orderly }: { orderly: boolean }): Promise<void> {
    if (orderly) {
      const transport = await open()
      await shutdown(transport)
      await transport.close()
    }
    await kill('SIGKILL')
    child = launch(directory, port)
  }

  async function stop(): Promise<void> {
    await kill('SIGTERM')
    await rm(directory, { recursive: true, force: true })
  }

  return { port, tcti: `swtpm:host=${host},port=${port}`, directory, caDirectory, open, restart, stop }
}
