import { createRequire } from 'node:module'
import { accepted, type Result, refused } from '@interlock/contracts'
import { z } from 'zod'
import { meter, workLeft, workMax } from './wasm/meter.ts'

// Its ES module has the asynchronous half alone.
const { loadPolicySync } = createRequire(import.meta.url)(
  '@open-policy-agent/opa-wasm',
) as typeof import('@open-policy-agent/opa-wasm')

export type ModuleReason = 'policy-unusable' | 'policy-work-exceeded' | 'policy-failed' | 'policy-undefined'

export const entrypoint = 'interlock/bounds/decision'

/** Pages of 64 kB: a policy that needs more fails, and a failing policy is a refusal. */
const memory = { initial: 5, maximum: 64 }

type Instance = { readonly policy: ReturnType<typeof loadPolicySync>; readonly left: WebAssembly.Global }

/** A compiled policy with its data. Its work is counted, not timed: the same question has the same answer wherever and whenever it is asked. */
export class PolicyModule {
  readonly #compiled: WebAssembly.Module
  readonly #data: Readonly<Record<string, unknown>>
  #instance: Instance | undefined

  private constructor(compiled: WebAssembly.Module, data: Readonly<Record<string, unknown>>) {
    this.#compiled = compiled
    this.#data = data
    this.#instance = instantiate(compiled, data)
  }

  /** Compiles it. What cannot be loaded, or wants anything of its host, is refused. */
  static load(wasm: Uint8Array, data: Readonly<Record<string, unknown>>): Result<PolicyModule, 'policy-unusable'> {
    try {
      return accepted(new PolicyModule(new WebAssembly.Module(meter(wasm)), data))
    } catch (error) {
      return refused('policy-unusable', { error: textOf(error) })
    }
  }

  /** The one result of the entrypoint. */
  evaluate(input: object): Result<unknown, ModuleReason> {
    let results: unknown
    let instance = this.#instance
    // An instance that trapped stands where it stopped, with half a thought in its memory: it is not asked again.
    this.#instance = undefined
    try {
      instance ??= instantiate(this.#compiled, this.#data)
      instance.left.value = workMax
      results = instance.policy.evaluate(input, entrypoint)
    } catch (error) {
      if (instance?.left.value === 0) return refused('policy-work-exceeded', { workMax })
      return refused('policy-failed', { error: textOf(error) })
    }
    this.#instance = instance
    const read = resultSchema.safeParse(results)
    return read.success ? accepted(read.data[0]?.result) : refused('policy-undefined')
  }

  /** Calls and turns of loops that the last evaluation took; 0 where it trapped. */
  get work(): number {
    return this.#instance ? workMax - this.#instance.left.value : 0
  }
}

/** @throws Error where the module is not one of OPA with our entrypoint, or wants something of its host */
function instantiate(compiled: WebAssembly.Module, data: Readonly<Record<string, unknown>>): Instance {
  const policy = loadPolicySync(compiled, memory)
  const { exports } = policy.wasmInstance as WebAssembly.Instance
  const left = exports[workLeft]
  if (!(left instanceof WebAssembly.Global)) throw new Error('it does not count its work')
  // The host's built-in functions run uncounted, and some are not the same at each call: time, random numbers, the network.
  const builtins = builtinsOf(exports, policy.mem)
  if (builtins.length > 0) throw new Error(`it calls ${builtins.slice(0, 8).join(', ')}, which WebAssembly leaves to the host`)
  if (!Object.hasOwn(policy.entrypoints, entrypoint)) throw new Error(`it has no entrypoint ${entrypoint}`)
  left.value = workMax
  policy.setData(data)
  return { policy, left }
}

/** Names of the host's functions that a module wants (OPA's WebAssembly ABI: a JSON object, as a C string). */
function builtinsOf(exports: WebAssembly.Exports, { buffer }: WebAssembly.Memory): string[] {
  const { builtins, opa_json_dump: dump } = exports
  if (typeof builtins !== 'function' || typeof dump !== 'function') throw new Error('it is no module of OPA')
  const from: number = dump(builtins())
  const bytes = new Uint8Array(buffer)
  return Object.keys(JSON.parse(new TextDecoder().decode(bytes.subarray(from, bytes.indexOf(0, from)))))
}

const resultSchema = z.array(z.object({ result: z.unknown() })).length(1)

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error)).slice(0, 200)
