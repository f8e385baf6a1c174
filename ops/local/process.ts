import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { exited, hasExited, keep } from './keeper.ts'

export class ProcessError extends Error {
  readonly code = 'process-failed'
  readonly retriable = false
}

export type ProcessRequest = {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** All of it: nothing of our own environment is passed on but what stands here. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** What it prints is added to this file. */
  readonly logFile: string
}

/** A child that does not outlive us, with its output in a file. */
export class RunningProcess {
  readonly name: string
  readonly logFile: string
  readonly #child: ChildProcess
  readonly #logStart: number

  constructor(request: ProcessRequest) {
    this.name = request.name
    this.logFile = request.logFile
    mkdirSync(dirname(request.logFile), { recursive: true })
    const log = openSync(request.logFile, 'a', 0o600)
    this.#logStart = statSync(request.logFile).size
    this.#child = spawn(request.command, [...request.args], {
      stdio: ['ignore', log, log],
      env: { ...request.env },
      cwd: request.cwd ?? process.cwd(),
      // A group of its own: Ctrl-C in the terminal reaches only us, and we stop all in order.
      detached: true,
    })
    keep(this.#child)
    this.#child.on('error', () => undefined)
    closeSync(log)
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get hasExited(): boolean {
    return this.#child.pid === undefined || hasExited(this.#child)
  }

  /** What it printed since this start. */
  output(): string {
    return readFileSync(this.logFile).subarray(this.#logStart).toString()
  }

  /** Asks `isReady` until it says yes. @throws ProcessError with its last lines where it ended first or took too long. */
  async untilReady(isReady: () => Promise<boolean> | boolean, timeoutMs: number): Promise<void> {
    const end = Date.now() + timeoutMs
    while (!(await isReady())) {
      if (this.hasExited)
        throw this.failed(`ended with ${this.#child.exitCode ?? this.#child.signalCode ?? 'no start'} before it was ready`)
      if (Date.now() > end) throw this.failed(`was not ready after ${timeoutMs / 1000} s`)
      await wait(50)
    }
  }

  failed(what: string): ProcessError {
    const last = this.output().trimEnd().split('\n').slice(-20).join('\n')
    return new ProcessError(`${this.name} ${what}. Its log is ${this.logFile}; the last lines:\n${last}`)
  }

  /** Orderly; SIGKILL where it still runs after the time of grace. */
  async stop(graceMs = 15_000): Promise<void> {
    if (this.hasExited) return
    this.signal('SIGTERM')
    const late = setTimeout(() => this.signal('SIGKILL'), graceMs)
    await exited(this.#child)
    clearTimeout(late)
  }

  /** As a power cut does it. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.signal('SIGKILL')
    if (!this.hasExited) await exited(this.#child)
  }

  async exited(): Promise<void> {
    await exited(this.#child)
  }

  signal(signal: NodeJS.Signals): void {
    if (this.hasExited) return
    try {
      process.kill(-this.pid, signal)
    } catch {
      // It ended in between.
    }
  }
}
