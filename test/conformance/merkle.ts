import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { verifyConsistency, verifyInclusion } from '@interlock/trust'
import { type Judgement, report, type SuiteReport } from './suite.ts'

type Vector = {
  wantErr: boolean
  proof: string[] | null
  root: string
  leafHash: string
  leafIdx: number
  treeSize: number
  size1: number
  size2: number
  root1: string
  root2: string
}
const bytes = (text: string | null) => Buffer.from(text ?? '', 'base64')

/** transparency-dev/merkle: RFC 9162 inclusion and consistency proofs, most of them to be refused. */
export function merkle(folder: string): SuiteReport | undefined {
  const path = join(folder, 'merkle')
  if (!existsSync(path)) return undefined
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'))
  return report(
    'merkle',
    files.map((name): [string, Judgement] => {
      const given = JSON.parse(readFileSync(join(path, name), 'utf8')) as Vector
      const proof = (given.proof ?? []).map(bytes)
      const isAccepted = name.startsWith('inclusion')
        ? verifyInclusion(bytes(given.leafHash), given.leafIdx, given.treeSize, proof, bytes(given.root))
        : verifyConsistency(given.size1, given.size2, proof, bytes(given.root1), bytes(given.root2))
      return [
        name,
        isAccepted === !given.wantErr
          ? { kind: 'passed' }
          : { kind: 'failed', why: isAccepted ? 'accepted a proof that must fail' : 'refused a valid proof' },
      ]
    }),
  )
}
