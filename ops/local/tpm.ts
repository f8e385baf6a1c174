import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { measureBoot, readDeviceTpm } from '@interlock/sdk/simulated-device'
import type { DeviceTpm } from '@interlock/sdk/trust-domain'
import { openSocketTransport, shutdown, type TpmTransport } from '@interlock/tpm'
import { manufactureSoftwareTpm, softwareTpmArguments } from '@interlock/tpm/software-tpm'
import { freePortPair } from './ports.ts'
import { RunningProcess } from './process.ts'

export type TpmRequest = { readonly directory: string; readonly device: string }
export type RunningTpm = {
  readonly device: string
  /** host:port */
  readonly address: string
  /** What a registry would learn at enrolment. */
  readonly enrolment: DeviceTpm
  /** As firmware does it at power-off: the TPM's clock stays true. Nobody else may be connected. */
  stop(): Promise<void>
  kill(): Promise<void>
}

const host = '127.0.0.1'

/** Starts a device's software TPM, made at its first start, and lets it measure a boot. Its keys are the same at every start. */
export async function startTpm({ directory, device }: TpmRequest): Promise<RunningTpm> {
  const home = join(directory, 'tpm', device)
  if (!existsSync(home)) await manufacture(home, join(directory, 'tpm', 'ca'))
  const port = await freePortPair()
  const swtpm = new RunningProcess({
    name: `TPM of ${device}`,
    command: 'swtpm',
    args: softwareTpmArguments(home, port),
    env: { PATH: process.env.PATH },
    logFile: join(directory, 'logs', `tpm-${device}.log`),
  })
  try {
    const transport = await open(swtpm, port)
    await measureBoot(transport, device)
    const enrolment = await readDeviceTpm(transport)
    await transport.close()
    return { device, address: `${host}:${port}`, enrolment, stop: () => stop(swtpm, port), kill: () => swtpm.kill() }
  } catch (error) {
    await swtpm.kill()
    throw error
  }
}

/** Where the certificates lie that vouch for the software TPMs, as a vendor publishes its own. */
export const tpmRoots = (directory: string): string => join(directory, 'tpm', 'roots')

/** Copies the certificates of the software TPMs' maker to where a verifier may read them; its private keys stay where they are. */
export function publishTpmRoots(directory: string): void {
  mkdirSync(tpmRoots(directory), { recursive: true })
  for (const name of ['issuercert.pem', 'swtpm-localca-rootca-cert.pem'])
    copyFileSync(join(directory, 'tpm', 'ca', name), join(tpmRoots(directory), name))
}

async function manufacture(home: string, caDirectory: string): Promise<void> {
  const draft = `${home}.draft`
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { recursive: true, mode: 0o700 })
  await manufactureSoftwareTpm(draft, caDirectory)
  renameSync(draft, home)
}

async function open(swtpm: RunningProcess, port: number): Promise<TpmTransport> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await openSocketTransport({ host, port })
    } catch (error) {
      if (swtpm.hasExited) throw swtpm.failed('ended at once')
      if (attempt === 100) throw error
      await wait(30)
    }
  }
}

async function stop(swtpm: RunningProcess, port: number): Promise<void> {
  if (!swtpm.hasExited) {
    const transport = await open(swtpm, port)
    await shutdown(transport)
    await transport.close()
  }
  await swtpm.stop()
}
