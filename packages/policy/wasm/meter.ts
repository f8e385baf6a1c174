import { ByteCursor, u32, WasmFormatError } from './byte-cursor.ts'
import { emptyBlock, opcode, skipInstruction } from './skip-instruction.ts'

/** Name of the exported counter: what is left of the work a call may do. */
export const workLeft = 'interlock_work_left'

const section = { import: 2, global: 6, export: 7, code: 10 } as const
const preamble = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]

/** What a call may do unless its caller says otherwise: of a policy with hundreds of rules over data of a megabyte, a few hundredths of a second. */
export const workMax = 5_000_000

type Section = { readonly id: number; readonly body: ByteCursor }

/**
 * The same module, counting: each call of a function and each turn of a loop takes one from the exported counter, and at zero the module traps.
 * Between two of these there is only straight code, which the module's size bounds. So a policy's work has a bound that is the same on every
 * machine, and what ran out once runs out again when it is replayed; a clock would give neither. @throws WasmFormatError
 */
export function meter(wasm: Uint8Array): Uint8Array<ArrayBuffer> {
  const sections = readSections(wasm)
  const global = globalsOf(sections)
  const out: Uint8Array[] = [Uint8Array.from(preamble)]
  for (const id of [section.global, section.export, section.code]) {
    if (!sections.some((one) => one.id === id)) throw new WasmFormatError(`the module has no section ${id}`)
  }
  for (const { id, body } of sections) {
    if (id === section.global) out.push(wrap(id, withEntry(body, counter())))
    else if (id === section.export) out.push(wrap(id, withEntry(body, [...nameOf(workLeft), 0x03, ...u32(global)])))
    else if (id === section.code) out.push(wrap(id, meteredCode(body, global)))
    else out.push(wrap(id, [body.bytes.subarray(body.at, body.end)]))
  }
  return concatenate(out)
}

function readSections(wasm: Uint8Array): Section[] {
  if (preamble.some((byte, at) => wasm[at] !== byte)) throw new WasmFormatError('it is no WebAssembly module of version 1')
  const cursor = new ByteCursor(wasm, preamble.length)
  const sections: Section[] = []
  while (!cursor.isDone) {
    const id = cursor.byte()
    sections.push({ id, body: cursor.take(cursor.u32()) })
  }
  return sections
}

/** How many globals there are, imported ones first: the index of one more. */
function globalsOf(sections: readonly Section[]): number {
  let count = 0
  for (const { id, body } of sections) {
    const cursor = new ByteCursor(body.bytes, body.at, body.end)
    if (id === section.global) count += cursor.u32()
    if (id !== section.import) continue
    for (let left = cursor.u32(); left > 0; left -= 1) count += isImportedGlobal(cursor) ? 1 : 0
  }
  return count
}

function isImportedGlobal(cursor: ByteCursor): boolean {
  for (const _name of ['module', 'field']) cursor.skip(cursor.u32())
  const kind = cursor.byte()
  if (kind === 0x00) cursor.u32()
  else if (kind === 0x01 || kind === 0x02) {
    if (kind === 0x01) cursor.byte()
    const hasMaximum = (cursor.byte() & 1) === 1
    cursor.u32()
    if (hasMaximum) cursor.u32()
  } else if (kind === 0x03) cursor.skip(2)
  else throw new WasmFormatError(`an import is of kind ${kind}`)
  return kind === 0x03
}

/** A vector with one entry more at its end. */
function withEntry(body: ByteCursor, entry: readonly number[]): Uint8Array[] {
  const cursor = new ByteCursor(body.bytes, body.at, body.end)
  const count = cursor.u32()
  return [Uint8Array.from(u32(count + 1)), body.bytes.subarray(cursor.at, cursor.end), Uint8Array.from(entry)]
}

function meteredCode(body: ByteCursor, global: number): Uint8Array[] {
  const cursor = new ByteCursor(body.bytes, body.at, body.end)
  const charge = Uint8Array.from(chargeOf(global))
  const count = cursor.u32()
  const out: Uint8Array[] = [Uint8Array.from(u32(count))]
  for (let index = 0; index < count; index += 1) {
    const metered = meteredFunction(cursor.take(cursor.u32()), charge)
    out.push(Uint8Array.from(u32(lengthOf(metered))), ...metered)
  }
  return out
}

function meteredFunction(cursor: ByteCursor, charge: Uint8Array): Uint8Array[] {
  const { bytes } = cursor
  let from = cursor.at
  for (let groups = cursor.u32(); groups > 0; groups -= 1) {
    cursor.u32()
    cursor.byte()
  }
  const out = [bytes.subarray(from, cursor.at), charge]
  from = cursor.at
  while (!cursor.isDone) {
    if (skipInstruction(cursor) !== opcode.loop) continue
    // The branch back goes to the loop's start, so that the charge within it is paid at each turn.
    out.push(bytes.subarray(from, cursor.at), charge)
    from = cursor.at
  }
  out.push(bytes.subarray(from, cursor.end))
  return out
}

function chargeOf(global: number): number[] {
  const get = [opcode.globalGet, ...u32(global)]
  return [
    ...[...get, opcode.i32Eqz, opcode.if, emptyBlock, opcode.unreachable, opcode.end],
    ...[...get, opcode.i32Const, 1, opcode.i32Sub, opcode.globalSet, ...u32(global)],
  ]
}

/** A mutable i32. It is not zero at first, for a module may have something to do before anybody can set it. */
const counter = () => [0x7f, 0x01, opcode.i32Const, ...positive(workMax), opcode.end]

/** Signed LEB128 (i32.const) of a number whose topmost group leaves its sign bit free. */
function positive(value: number): number[] {
  const bytes = u32(value)
  const last = bytes.pop() as number
  return (last & 0x40) === 0 ? [...bytes, last] : [...bytes, last | 0x80, 0]
}

const nameOf = (text: string) => [...u32(text.length), ...Buffer.from(text, 'latin1')]

function wrap(id: number, parts: readonly Uint8Array[]): Uint8Array {
  return concatenate([Uint8Array.from([id, ...u32(lengthOf(parts))]), ...parts])
}

const lengthOf = (parts: readonly Uint8Array[]) => parts.reduce((sum, { length }) => sum + length, 0)

function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(lengthOf(parts))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
