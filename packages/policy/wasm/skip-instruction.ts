import { type ByteCursor, WasmFormatError } from './byte-cursor.ts'

export const opcode = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  end: 0x0b,
  globalGet: 0x23,
  globalSet: 0x24,
  i32Const: 0x41,
  i32Eqz: 0x45,
  i32Sub: 0x6b,
} as const

/** Block type that takes nothing and leaves nothing. */
export const emptyBlock = 0x40

/**
 * Passes over one instruction with its immediates and returns its opcode (core specification §5.4). What OPA's compiler and clang write for
 * WebAssembly 1.0 with sign extension; anything later is refused, for what is not understood cannot be counted. @throws WasmFormatError
 */
export function skipInstruction(cursor: ByteCursor): number {
  const at = cursor.at
  const code = cursor.byte()
  if (code === opcode.block || code === opcode.loop || code === opcode.if) skipBlockType(cursor)
  else if (code === 0x0c || code === 0x0d)
    cursor.u32() // br, br_if
  else if (code === 0x0e) skipBranchTable(cursor)
  else if (code === 0x10)
    cursor.u32() // call
  else if (code === 0x11)
    skipPair(cursor) // call_indirect
  else if (code >= 0x20 && code <= 0x24)
    cursor.u32() // locals and globals
  else if (code >= 0x28 && code <= 0x3e)
    skipPair(cursor) // loads and stores: alignment, offset
  else if (code === 0x3f || code === 0x40)
    cursor.byte() // memory.size, memory.grow
  else if (code === 0x41 || code === 0x42) cursor.skipNumber()
  else if (code === 0x43) cursor.skip(4)
  else if (code === 0x44) cursor.skip(8)
  else if (!hasNoImmediate(code)) throw new WasmFormatError(`instruction 0x${code.toString(16)} at byte ${at} is not known here`)
  return code
}

/** unreachable, nop, else, end, return, drop, select, and all that computes. */
const hasNoImmediate = (code: number) =>
  code === 0x00 ||
  code === 0x01 ||
  code === 0x05 ||
  code === 0x0b ||
  code === 0x0f ||
  code === 0x1a ||
  code === 0x1b ||
  (code >= 0x45 && code <= 0xc4)

function skipBlockType(cursor: ByteCursor): void {
  cursor.skipNumber()
}

function skipBranchTable(cursor: ByteCursor): void {
  const count = cursor.u32()
  for (let index = 0; index <= count; index += 1) cursor.u32()
}

function skipPair(cursor: ByteCursor): void {
  cursor.u32()
  cursor.u32()
}
