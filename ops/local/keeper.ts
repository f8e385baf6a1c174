import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('keeper.mjs', import.meta.url))
let keeper: ChildProcess | undefined

/** The process that ends our children should we die; started with the first of them. */
export function keeperPid(): number {
  return running().pid as number
}

/** From now on the process group does not outlive us. */
export function keep(child: ChildProcess): void {
  const { pid } = child
  if (pid === undefined) return
  tell(`+${pid}`)
  child.once('exit', () => tell(`-${pid}`))
}

function tell(line: string): void {
  running().stdin?.write(`${line}\n`)
}

function running(): ChildProcess {
  if (keeper && keeper.exitCode === null && keeper.signalCode === null) return keeper
  keeper = spawn(process.execPath, [program], { stdio: ['pipe', 'ignore', 'inherit'], detached: true })
  // It must not keep us alive: that it ends when we end is its purpose.
  keeper.unref()
  ;(keeper.stdin as NodeJS.WritableStream & { unref?: () => void }).unref?.()
  keeper.stdin?.on('error', () => undefined)
  return keeper
}

export const hasExited = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

export async function exited(child: ChildProcess): Promise<void> {
  if (!hasExited(child) && child.pid !== undefined) await once(child, 'exit')
}
