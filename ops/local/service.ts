import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { RunningProcess } from './process.ts'

export type ServiceRequest = {
  readonly name: string
  /** The service's main.ts. */
  readonly entry: string
  /** INTERLOCK_…; the few variables that every program needs are added. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** logs/<name>.log lies there. */
  readonly directory: string
}

/** A waiting service (the registry is away) says so in its log and is not ready: longer than any outage a test makes. */
const readyMs = 180_000

/** One of our own processes: it prints JSON lines, one of them `ready`. */
export class Service {
  readonly name: string
  readonly #request: ServiceRequest
  #process: RunningProcess

  private constructor(request: ServiceRequest) {
    this.name = request.name
    this.#request = request
    this.#process = launch(request)
  }

  /** Resolves when it is ready. @throws ProcessError with its last log lines */
  static async start(request: ServiceRequest): Promise<Service> {
    const service = new Service(request)
    await service.#untilReady()
    return service
  }

  get pid(): number {
    return this.#process.pid
  }

  /** Where health and metrics are. */
  get http(): number {
    return readyLine(this.#process.output())?.http ?? 0
  }

  /** The lines of its log since its last start. */
  log(): string[] {
    return this.#process.output().split('\n')
  }

  /** Waits for a line. */
  async logged(pattern: RegExp, timeoutMs = 60_000): Promise<void> {
    const end = Date.now() + timeoutMs
    while (!this.log().some((line) => pattern.test(line))) {
      if (Date.now() > end) throw this.#process.failed(`did not log ${pattern} in ${timeoutMs / 1000} s`)
      await wait(50)
    }
  }

  stop(): Promise<void> {
    return this.#process.stop()
  }

  /** SIGKILL. */
  kill(): Promise<void> {
    return this.#process.kill()
  }

  /** Ends it where it still runs, starts it again, and waits until it is ready. */
  async restart(): Promise<void> {
    await this.#process.stop()
    this.#process = launch(this.#request)
    await this.#untilReady()
  }

  async #untilReady(): Promise<void> {
    const started = this.#process
    try {
      await started.untilReady(() => readyLine(started.output()) !== undefined, readyMs)
    } catch (error) {
      await started.kill()
      throw error
    }
  }
}

function launch({ name, entry, env, directory }: ServiceRequest): RunningProcess {
  return new RunningProcess({
    name,
    command: process.execPath,
    // kafkajs computes waits below zero, which Node sets right and warns of.
    args: ['--disable-warning=TimeoutNegativeWarning', entry],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      TZ: 'UTC',
      // Stripped and compiled once, not at each start.
      NODE_COMPILE_CACHE: join(directory, 'compiled'),
      ...env,
    },
    logFile: join(directory, 'logs', `${name}.log`),
  })
}

function readyLine(output: string): { readonly http: number } | undefined {
  const line = output.split('\n').find((one) => one.includes('"msg":"ready"'))
  if (line === undefined) return undefined
  try {
    return JSON.parse(line) as { http: number }
  } catch {
    return undefined
  }
}
