import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { regoDigests } from './bundle.ts'

const folder = fileURLToPath(new URL('./', import.meta.url))

/** Version of the `opa` on the path; undefined where there is none. */
export function opaVersion(): string | undefined {
  const { status, stdout } = spawnSync('opa', ['version'], { encoding: 'utf8' })
  return status === 0 ? /^Version: (\S+)/m.exec(stdout)?.[1] : undefined
}

/** Compiles the Rego of this folder to WebAssembly. The same Rego and the same OPA give the same bytes. */
export function compilePolicy(): Buffer {
  const scratch = mkdtempSync(join(tmpdir(), 'interlock-policy-'))
  try {
    const bundle = join(scratch, 'bundle.tar.gz')
    execFileSync('opa', ['build', '-t', 'wasm', '-e', 'interlock/bounds/decision', '-o', bundle, ...Object.keys(regoDigests())], {
      cwd: folder,
    })
    execFileSync('tar', ['-xzf', bundle, '-C', scratch, '/policy.wasm'])
    return readFileSync(join(scratch, 'policy.wasm'))
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
