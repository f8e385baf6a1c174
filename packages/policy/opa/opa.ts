import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { entrypoint } from '../policy-module.ts'

/** The version that the checked-in module is compiled by. */
export const opaWanted = '1.22.2'

export type Opa = { readonly command: string; readonly version: string }

/** OPA refused: its own words say what is wrong with the Rego. */
export class OpaError extends Error {
  readonly code = 'opa-failed'
  readonly retriable = false
}

/** The `opa` of the path, else the one that `npm run opa` put into the user's cache; undefined where there is neither. */
export function findOpa(environment: Readonly<Record<string, string | undefined>> = process.env): Opa | undefined {
  const cache = join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'interlock', `opa-${opaWanted}`, 'opa')
  for (const command of ['opa', cache]) {
    const { status, stdout } = spawnSync(command, ['version'], { encoding: 'utf8' })
    const version = status === 0 ? /^Version: (\S+)/m.exec(stdout)?.[1] : undefined
    if (version) return { command, version }
  }
  return undefined
}

/** How to get it, for who lacks it. */
export const opaAdvice = `Bring it with \`npm run opa\` (needs Go 1.24 or later, takes some minutes), or put OPA ${opaWanted} on the path.`

/**
 * Compiles Rego (files or folders, relative to `folder`) to a bundle with WebAssembly. The same Rego and the same OPA give the same module.
 * @throws OpaError
 */
export function buildBundle({ command }: Opa, folder: string, paths: readonly string[]): Buffer {
  const scratch = mkdtempSync(join(tmpdir(), 'interlock-policy-'))
  try {
    const bundle = join(scratch, 'bundle.tar.gz')
    run(command, ['build', '-t', 'wasm', '-e', entrypoint, '--ignore', '*_test.rego', '-o', bundle, ...paths], folder)
    return readFileSync(bundle)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Runs the tests of a folder's Rego; what OPA said of them. @throws OpaError where one fails */
export const testRego = ({ command }: Opa, folder: string): string => run(command, ['test', '.'], folder)

function run(command: string, args: readonly string[], folder: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' })
  if (status === 0) return stdout
  throw new OpaError(`opa ${args[0]}: ${(error?.message ?? `${stdout}${stderr}`).trim().slice(0, 4000)}`)
}
