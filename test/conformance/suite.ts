import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where the vectors lie: `--vectors DIR`, INTERLOCK_VECTORS, or beside the project. */
export function vectorsFolder(args: readonly string[] = process.argv.slice(2)): string {
  const at = args.indexOf('--vectors')
  const given = at >= 0 ? args[at + 1] : process.env.INTERLOCK_VECTORS
  return given ?? new URL('../../../shared/vectors', import.meta.url).pathname
}

export type Judgement =
  /** Judged as the authors of the vectors say. */
  | { readonly kind: 'passed' }
  /** Judged otherwise: a bug. */
  | { readonly kind: 'failed'; readonly why: string }
  /** Not judged, or valid and refused on purpose, with the written reason. */
  | { readonly kind: 'left out'; readonly why: string }

export type SuiteReport = {
  readonly suite: string
  readonly passed: number
  readonly failed: readonly { readonly id: string; readonly why: string }[]
  /** Reason → number of cases. */
  readonly leftOut: ReadonlyMap<string, number>
}

export function report(suite: string, judged: Iterable<readonly [string, Judgement]>): SuiteReport {
  let passed = 0
  const failed: { id: string; why: string }[] = []
  const leftOut = new Map<string, number>()
  for (const [id, judgement] of judged) {
    if (judgement.kind === 'passed') passed++
    else if (judgement.kind === 'failed') failed.push({ id, why: judgement.why })
    else leftOut.set(judgement.why, (leftOut.get(judgement.why) ?? 0) + 1)
  }
  return { suite, passed, failed, leftOut }
}

/** The parsed JSON of a vector file, or undefined where it is absent. */
export function vectorFile(folder: string, ...path: string[]): unknown {
  const file = join(folder, ...path)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}
