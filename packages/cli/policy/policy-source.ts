import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { type PolicyBundle, readBundle } from '@interlock/policy'
import { buildBundle, findOpa, type Opa, opaAdvice, testRego } from '@interlock/policy/opa'
import { CliError } from '../cli-error.ts'

const bytesMax = 8_000_000

/** What a folder of Rego was made into, and what OPA said of its tests. */
export type Built = { readonly bundle: Buffer; readonly revision: string; readonly tests: string }

/** @throws CliError where there is no OPA */
export function requireOpa(): Opa {
  const opa = findOpa()
  if (opa) return opa
  throw new CliError('unavailable', 'there is no `opa` here, which compiles Rego', opaAdvice)
}

/**
 * Tests the Rego of a folder and compiles it, with its data.json. Named after what it is made of where no name is given: the same files have the
 * same name. @throws CliError, OpaError
 */
export function buildFolder(folder: string, name?: string): Built {
  const opa = requireOpa()
  const files = readdirSync(folder).toSorted()
  const rego = files.filter((file) => file.endsWith('.rego'))
  const paths = [...rego.filter((file) => !file.endsWith('_test.rego')), ...files.filter((file) => file === 'data.json')]
  if (rego.length === 0) throw new CliError('usage', `${folder} has no .rego file`, 'Name the folder of the policy.')
  const hash = createHash('sha256')
  for (const path of paths) hash.update(`${path}\0`).update(readFileSync(`${folder}/${path}`))
  const tests = rego.length > paths.filter((path) => path !== 'data.json').length ? testRego(opa, folder).trim() : 'no tests'
  return {
    bundle: buildBundle(opa, folder, paths),
    revision: name ?? `bounds-${hash.digest('hex').slice(0, 12)}`,
    tests,
  }
}

/** A Rego file, a folder of them, or a bundle, to be tried and not to be trusted: nobody's signature is asked for. @throws CliError, OpaError, BundleError */
export function readPolicySource(path: string): PolicyBundle {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory()) return named(buildFolder(path))
  if (!path.endsWith('.rego')) return readBundle(readPolicyFile(path))
  const revision = createHash('sha256').update(readPolicyFile(path)).digest('hex').slice(0, 12)
  const slash = path.lastIndexOf('/')
  return named({ bundle: buildBundle(requireOpa(), path.slice(0, slash + 1) || '.', [path.slice(slash + 1)]), revision })
}

const named = ({ bundle, revision }: Pick<Built, 'bundle' | 'revision'>): PolicyBundle => ({ ...readBundle(bundle), revision })

/** @throws CliError */
export function readPolicyFile(path: string): Buffer {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found?.isFile())
    throw new CliError('usage', `${path} is no file`, 'Name a bundle (.tar.gz), as `interlock policy build` makes it.')
  if (found.size > bytesMax) throw new CliError('usage', `${path} has ${found.size} bytes`, `A policy has ${bytesMax} at most.`)
  return readFileSync(path)
}
