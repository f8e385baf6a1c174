import { hash } from 'node:crypto'

/** In one call: half the cost of a hash object for what is this short. */
const sha256 = (...parts: Uint8Array[]): Buffer => hash('sha256', Buffer.concat(parts), 'buffer')
const leafPrefix = Buffer.of(0)
const nodePrefix = Buffer.of(1)

/** RFC 9162 §2.1.1: leaves and nodes are hashed apart, so that a node cannot be passed for a leaf. */
export const leafHash = (entry: Uint8Array): Buffer => sha256(leafPrefix, entry)
export const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer => sha256(nodePrefix, left, right)

/** Largest power of two smaller than n (n ≥ 2). */
const split = (n: number): number => 2 ** (Math.ceil(Math.log2(n)) - 1)

/** Root of a tree over leaf hashes; of none, SHA-256 of nothing. */
export function merkleRoot(leaves: readonly Uint8Array[]): Buffer {
  if (leaves.length === 0) return sha256()
  if (leaves.length === 1) return Buffer.from(leaves[0] as Uint8Array)
  const k = split(leaves.length)
  return nodeHash(merkleRoot(leaves.slice(0, k)), merkleRoot(leaves.slice(k)))
}

/** RFC 9162 §2.1.3.1, path of every leaf at once: each node is hashed once for the whole batch. */
export function inclusionPaths(leaves: readonly Uint8Array[]): { root: Buffer; paths: Buffer[][] } {
  if (leaves.length === 0) return { root: merkleRoot([]), paths: [] }
  if (leaves.length === 1) return { root: Buffer.from(leaves[0] as Uint8Array), paths: [[]] }
  const k = split(leaves.length)
  const left = inclusionPaths(leaves.slice(0, k))
  const right = inclusionPaths(leaves.slice(k))
  for (const path of left.paths) path.push(right.root)
  for (const path of right.paths) path.push(left.root)
  return { root: nodeHash(left.root, right.root), paths: [...left.paths, ...right.paths] }
}

/** RFC 9162 §2.1.3.2: the root that leaf, index, size and path lead to; undefined where they fit no tree. */
export function rootFromPath(leaf: Uint8Array, index: number, size: number, path: readonly Uint8Array[]): Buffer | undefined {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return undefined
  if (leaf.length !== 32 || path.some((node) => node.length !== 32)) return undefined
  let fn = index
  let sn = size - 1
  let root: Buffer = Buffer.from(leaf)
  for (const node of path) {
    if (sn === 0) return undefined
    if (fn % 2 === 1 || fn === sn) {
      root = nodeHash(node, root)
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2)
        sn = Math.floor(sn / 2)
      }
    } else root = nodeHash(root, node)
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
  }
  return sn === 0 ? root : undefined
}

/** RFC 9162 §2.1.3.2. */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  return rootFromPath(leaf, index, size, path)?.equals(root) ?? false
}

/** RFC 9162 §2.1.4.2: the tree of `size2` begins with the tree of `size1`. An empty tree proves nothing and is refused (0 < m ≤ n). */
export function verifyConsistency(
  size1: number,
  size2: number,
  path: readonly Uint8Array[],
  root1: Uint8Array,
  root2: Uint8Array,
): boolean {
  if (!Number.isSafeInteger(size1) || !Number.isSafeInteger(size2) || size1 < 1 || size1 > size2) return false
  if (path.some((node) => node.length !== 32)) return false
  if (size1 === size2) return path.length === 0 && Buffer.from(root1).equals(root2)
  if (path.length === 0) return false
  const nodes = [...path]
  if (Number.isInteger(Math.log2(size1))) nodes.unshift(root1)
  let fn = size1 - 1
  let sn = size2 - 1
  while (fn % 2 === 1) {
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
  }
  let fr: Buffer = Buffer.from(nodes[0] as Uint8Array)
  let sr: Buffer = Buffer.from(nodes[0] as Uint8Array)
  for (const node of nodes.slice(1)) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      fr = nodeHash(node, fr)
      sr = nodeHash(node, sr)
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2)
        sn = Math.floor(sn / 2)
      }
    } else sr = nodeHash(sr, node)
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
  }
  return sn === 0 && fr.equals(root1) && sr.equals(root2)
}
