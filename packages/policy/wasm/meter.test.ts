import { describe, expect, it } from 'vitest'
import { WasmFormatError } from './byte-cursor.ts'
import { meter, workLeft, workMax } from './meter.ts'

const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]
const section = (id: number, ...body: number[]) => [id, body.length, ...body]

/** A module with one function `f: i32 → i32` of this body, an unused global and its export. */
function moduleOf(...body: number[]): Uint8Array {
  const code = [0x00, ...body, 0x0b]
  return Uint8Array.from([
    ...header,
    ...section(1, 1, 0x60, 1, 0x7f, 1, 0x7f),
    ...section(3, 1, 0),
    ...section(6, 1, 0x7f, 0x00, 0x41, 0, 0x0b),
    ...section(7, 1, 1, 'f'.charCodeAt(0), 0, 0),
    ...section(10, 1, code.length, ...code),
  ])
}

function run(wasm: Uint8Array, argument: number, work?: number) {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(meter(wasm)))
  const { f, [workLeft]: left } = exports
  if (typeof f !== 'function' || !(left instanceof WebAssembly.Global)) throw new Error('the module lost its function')
  if (work !== undefined) left.value = work
  try {
    return { result: f(argument), left: left.value }
  } catch (error) {
    return { error: String(error), left: left.value }
  }
}

/** loop: argument -= 1, again unless it is zero; returns it */
const countDown = moduleOf(0x03, 0x40, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b, 0x20, 0)
const forever = moduleOf(0x03, 0x40, 0x0c, 0, 0x0b, 0x20, 0)
const callsItself = moduleOf(0x20, 0, 0x10, 0)

describe('a metered module', () => {
  it('does what it did, and takes one for the call and one for each turn of its loop', () => {
    expect(run(countDown, 10, 100)).toEqual({ result: 0, left: 100 - 1 - 10 })
  })

  it('traps when nothing is left, and not before', () => {
    expect(run(countDown, 10, 11)).toEqual({ result: 0, left: 0 })
    expect(run(countDown, 10, 10)).toMatchObject({ error: expect.stringContaining('unreachable'), left: 0 })
  })

  it('attack 76: does not loop for ever, and may do so much unless somebody says less', () => {
    expect(run(forever, 0)).toMatchObject({ error: expect.stringContaining('unreachable'), left: 0 })
    expect(run(countDown, workMax - 1)).toEqual({ result: 0, left: 0 })
    expect(run(countDown, workMax)).toMatchObject({ left: 0, error: expect.anything() })
  })

  it('attack 76: does not call itself for ever', () => {
    expect(run(callsItself, 0, 1000)).toMatchObject({ error: expect.stringContaining('unreachable'), left: 0 })
  })
})

describe('what is not understood is refused, never passed through uncounted', () => {
  it.each([
    ['no module', Uint8Array.from(Buffer.from('no wasm at all'))],
    ['a later version', countDown.with(4, 2)],
    ['a module that is cut off', countDown.subarray(0, countDown.length - 3)],
    ['an instruction of a later version', moduleOf(0xfc, 0x0a, 0, 0, 0x20, 0)],
    ['an exception’s handler', moduleOf(0x06, 0x40, 0x0b, 0x20, 0)],
    ['a module without code', Uint8Array.from(header)],
  ])('%s', (_what, wasm) => {
    expect(() => meter(wasm)).toThrow(WasmFormatError)
  })
})
