import { isUtf8 } from 'node:buffer'
import type { Shape } from './avro-schema.ts'
import { accepted, type Refused, type Result, refused } from './result.ts'

/** Bounds on one record's body. The decoder allocates what the bytes claim: five bytes make 20 million nulls (AVRO-4241's class). */
export type WalkLimits = { readonly depthMax: number; readonly itemsMax: number }

export type WalkReason =
  | 'avro-truncated'
  | 'avro-trailing-bytes'
  | 'avro-too-deep'
  | 'avro-length-negative'
  | 'avro-length-beyond-end'
  | 'avro-block-negative'
  | 'avro-too-many-items'
  | 'avro-union-index'
  | 'avro-enum-index'
  | 'avro-boolean'
  | 'avro-number-range'
  | 'avro-not-utf8'

/**
 * Walks an encoded body along its schema without building anything, so that the decoder after it meets only bytes that are
 * whole, end where they should and claim no more than the limits. The attacker chooses every byte.
 */
export function walk(body: Buffer, shape: Shape, limits: WalkLimits): Result<undefined, WalkReason> {
  const walker: Walker = { body, at: 0, items: 0, limits }
  const fault = step(walker, shape, 0)
  if (fault) return fault
  if (walker.at !== body.length) return refused('avro-trailing-bytes', { at: walker.at, bytes: body.length })
  return accepted(undefined)
}

type Walker = { readonly body: Buffer; at: number; items: number; readonly limits: WalkLimits }
type Fault = Refused<WalkReason> | undefined

function step(walker: Walker, shape: Shape, depth: number): Fault {
  if (depth > walker.limits.depthMax) return refused('avro-too-deep', { at: walker.at })
  switch (shape.kind) {
    case 'null':
      return undefined
    case 'boolean':
      return stepBoolean(walker)
    case 'int':
      return stepNumber(walker, -(2 ** 31), 2 ** 31 - 1)
    case 'long':
      return stepNumber(walker, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
    case 'fixed':
      return skip(walker, shape.size)
    case 'bytes':
      return stepBytes(walker)
    case 'string':
      return stepString(walker)
    case 'enum':
      return stepIndex(walker, shape.symbols, 'avro-enum-index')
    case 'union':
      return stepUnion(walker, shape.branches, depth)
    case 'array':
      return stepBlocks(walker, shape.items, depth)
    case 'record':
      for (const field of shape.fields) {
        const fault = step(walker, field, depth + 1)
        if (fault) return fault
      }
      return undefined
  }
}

function stepBoolean(walker: Walker): Fault {
  const byte = walker.body[walker.at]
  if (byte === undefined) return truncated(walker)
  if (byte > 1) return refused('avro-boolean', { at: walker.at })
  walker.at += 1
  return undefined
}

function stepNumber(walker: Walker, least: number, most: number): Fault {
  const from = walker.at
  const value = readVarint(walker)
  if (typeof value !== 'number') return value
  return value < least || value > most ? refused('avro-number-range', { at: from }) : undefined
}

function stepBytes(walker: Walker): Fault {
  const length = readVarint(walker)
  if (typeof length !== 'number') return length
  if (length < 0) return refused('avro-length-negative', { at: walker.at, length })
  if (length > walker.body.length - walker.at) return refused('avro-length-beyond-end', { at: walker.at, length })
  walker.at += length
  return undefined
}

function stepString(walker: Walker): Fault {
  const lengthAt = walker.at
  const fault = stepBytes(walker)
  if (fault) return fault
  const textAt = lengthAt + varintBytes(walker.body, lengthAt)
  // The decoder would replace bad bytes: two different values would then read as one text.
  return isUtf8(walker.body.subarray(textAt, walker.at)) ? undefined : refused('avro-not-utf8', { at: textAt })
}

function varintBytes(body: Buffer, at: number): number {
  let count = 1
  while ((body[at + count - 1] ?? 0) >= 0x80) count += 1
  return count
}

function stepIndex(walker: Walker, count: number, reason: 'avro-enum-index' | 'avro-union-index'): Fault {
  const index = readVarint(walker)
  if (typeof index !== 'number') return index
  return index < 0 || index >= count ? refused(reason, { at: walker.at, index }) : undefined
}

function stepUnion(walker: Walker, branches: readonly Shape[], depth: number): Fault {
  const index = readVarint(walker)
  if (typeof index !== 'number') return index
  const branch = branches[index]
  return branch ? step(walker, branch, depth + 1) : refused('avro-union-index', { at: walker.at, index })
}

function stepBlocks(walker: Walker, item: Shape, depth: number): Fault {
  for (;;) {
    const count = readVarint(walker)
    if (typeof count !== 'number') return count
    if (count === 0) return undefined
    // Avro allows a negative count with a byte size after it; none of our writers uses it, and a reader could skip by the size.
    if (count < 0) return refused('avro-block-negative', { at: walker.at, count })
    // The items of all blocks together count, however they are cut.
    walker.items += count
    if (walker.items > walker.limits.itemsMax) return refused('avro-too-many-items', { at: walker.at, items: walker.items })
    for (let index = 0; index < count; index += 1) {
      const fault = step(walker, item, depth + 1)
      if (fault) return fault
    }
  }
}

function skip(walker: Walker, bytes: number): Fault {
  if (bytes > walker.body.length - walker.at) return truncated(walker)
  walker.at += bytes
  return undefined
}

/** A zig-zag varint of at most ten bytes. Beyond 2^53 it is inexact, which every caller's range refuses. */
function readVarint(walker: Walker): number | Refused<WalkReason> {
  let factor = 1
  let value = 0
  for (let count = 0; count < 10; count += 1) {
    const byte = walker.body[walker.at]
    if (byte === undefined) return truncated(walker)
    walker.at += 1
    value += (byte & 0x7f) * factor
    if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    factor *= 128
  }
  return refused('avro-number-range', { at: walker.at })
}

const truncated = (walker: Walker): Refused<WalkReason> => refused('avro-truncated', { at: walker.at, bytes: walker.body.length })
