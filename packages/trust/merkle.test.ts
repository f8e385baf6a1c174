import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inclusionPaths, leafHash, merkleRoot, verifyConsistency, verifyInclusion } from './merkle.ts'

const vectors = process.env.INTERLOCK_VECTORS ?? new URL('../../../shared/vectors', import.meta.url).pathname
const bytes = (text: string | null | undefined) => Buffer.from(text ?? '', 'base64')

function casesIn(folder: string): { name: string; text: string }[] {
  const path = join(vectors, 'merkle', folder)
  if (!existsSync(path)) return []
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .map((name) => ({ name, text: readFileSync(join(path, name), 'utf8') }))
}

const inclusion = casesIn('inclusion')
const consistency = casesIn('consistency')
if (inclusion.length === 0) console.warn(`LEFT OUT: no Merkle vectors in ${vectors}; set INTERLOCK_VECTORS to where they lie`)

describe.skipIf(inclusion.length === 0)('the vectors of transparency-dev/merkle', () => {
  test.each(inclusion)('inclusion $name is judged as its authors say', ({ text }) => {
    const given = JSON.parse(text)
    const path = (given.proof ?? []).map(bytes)
    expect(verifyInclusion(bytes(given.leafHash), given.leafIdx, given.treeSize, path, bytes(given.root))).toBe(!given.wantErr)
  })

  test.each(consistency)('consistency $name is judged as its authors say', ({ text }) => {
    const given = JSON.parse(text)
    const path = (given.proof ?? []).map(bytes)
    expect(verifyConsistency(given.size1, given.size2, path, bytes(given.root1), bytes(given.root2))).toBe(!given.wantErr)
  })
})

describe('a batch tree', () => {
  const leavesOf = (size: number) => Array.from({ length: size }, (_, at) => leafHash(Buffer.from(String(at))))

  test('gives every leaf a path to the root, and no other leaf or index fits it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(), fc.nat(), (size, pick, other) => {
        const leaves = leavesOf(size)
        const { root, paths } = inclusionPaths(leaves)
        const [at, wrong] = [pick % size, other % size]
        expect(root).toEqual(merkleRoot(leaves))
        expect(verifyInclusion(leaves[at] as Buffer, at, size, paths[at] as Buffer[], root)).toBe(true)
        if (wrong === at) return
        expect(verifyInclusion(leaves[wrong] as Buffer, at, size, paths[at] as Buffer[], root)).toBe(false)
        expect(verifyInclusion(leaves[at] as Buffer, wrong, size, paths[at] as Buffer[], root)).toBe(false)
      }),
    )
  })

  test('does not take an inner node for a leaf (RFC 9162 §2.1.1)', () => {
    const leaves = leavesOf(4)
    const { root, paths } = inclusionPaths(leaves)
    const inner = merkleRoot(leaves.slice(0, 2))
    expect(verifyInclusion(inner, 0, 2, [(paths[0] as Buffer[])[1] as Buffer], root)).toBe(true)
    expect(verifyInclusion(leafHash(Buffer.concat(leaves.slice(0, 2))), 0, 2, [(paths[0] as Buffer[])[1] as Buffer], root)).toBe(
      false,
    )
  })
})
