/** The module is not one that can be read: another format, cut off, or of a later version of WebAssembly. */
export class WasmFormatError extends Error {
  readonly code = 'wasm-format'
  readonly retriable = false
}

/** Reads the binary format of WebAssembly (core specification, chapter 5) from its start to its end. @throws WasmFormatError */
export class ByteCursor {
  readonly bytes: Uint8Array
  at: number
  readonly end: number

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = at
    this.end = end
  }

  get isDone(): boolean {
    return this.at >= this.end
  }

  byte(): number {
    if (this.at >= this.end) throw new WasmFormatError(`the module ends within something, at byte ${this.at}`)
    return this.bytes[this.at++] as number
  }

  skip(count: number): void {
    if (count > this.end - this.at) throw new WasmFormatError(`the module ends within something, at byte ${this.at}`)
    this.at += count
  }

  /** LEB128 of at most 32 bits without sign. */
  u32(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw new WasmFormatError(`a number is too long, at byte ${this.at}`)
  }

  /** LEB128 of up to 64 bits, with or without sign: only passed over. */
  skipNumber(): void {
    for (let count = 0; count < 10; count += 1) if (this.byte() < 0x80) return
    throw new WasmFormatError(`a number is too long, at byte ${this.at}`)
  }

  /** The next `count` bytes as a cursor of their own. */
  take(count: number): ByteCursor {
    const from = this.at
    this.skip(count)
    return new ByteCursor(this.bytes, from, this.at)
  }
}

/** LEB128 of an unsigned number below 2^32. */
export function u32(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  do {
    const low = rest % 128
    rest = Math.floor(rest / 128)
    bytes.push(rest > 0 ? low | 0x80 : low)
  } while (rest > 0)
  return bytes
}
