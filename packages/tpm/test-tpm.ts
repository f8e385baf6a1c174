import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { shutdown } from './commands/startup.ts'
import { openSocketTransport } from './transport/socket-transport.ts'
import type { TpmTransport } from './transport/transport.ts'

const run = promisify(execFile)
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

async function manufacture(directory: string, caDirectory: string): Promise<void> {
  const file = (name: string): string => join(directory, name)
  await mkdir(file('state'))
  await mkdir(caDirectory)
  await writeFile(
    file('setup.conf'),
    `create_certs_tool = swtpm_localca\ncreate_certs_tool_config = ${file('ca.conf')}\ncreate_certs_tool_options = ${file('ca.options')}\n`,
  )
  const caFiles = { statedir: '', signingkey: 'signkey.pem', issuercert: 'issuercert.pem', certserial: 'certserial' }
  const caLines = Object.entries(caFiles).map(([key, name]) => `${key} = ${join(caDirectory, name)}\n`)
  await writeFile(file('ca.conf'), caLines.join(''))
  await writeFile(file('ca.options'), '--platform-manufacturer Interlock\n--platform-version 1\n--platform-model Test\n')
  const user = process.getuid?.() === 0 ? ['--runas', 'root'] : []
  const state = ['--tpm2', '--tpmstate', file('state'), '--config', file('setup.conf'), '--pcr-banks', 'sha256']
  await run('swtpm_setup', [...user, ...state, '--create-ek-cert', '--create-platform-cert', '--lock-nvram'])
}

function launch(directory: string, port: number): ChildProcess {
  const tcp = (at: number): string => `type=tcp,port=${at},bindaddr=${host}`
  const where = ['--tpmstate', `dir=${join(directory, 'state')}`, '--server', tcp(port), '--ctrl', tcp(port + 1)]
  return spawn('swtpm', ['socket', '--tpm2', ...where, '--flags', 'not-need-init,startup-clear'], { stdio: 'ignore' })
}

const ended = (child: ChildProcess): Promise<unknown> =>
  child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : new Promise((resolve) => child.once('exit', resolve))

export async function startTestTpm(): Promise<TestTpm> {
  const directory = await mkdtemp(join(tmpdir(), 'interlock-tpm-'))
  const caDirectory = join(directory, 'ca')
  await manufacture(directory, caDirectory)
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
