/** What the bytes were not: too short, too long, or of a value the structure does not allow. Thrown inside the parsers only; they return a Result. */
export class MalformedBytes extends Error {}

/** Reads big-endian TPM structures (TPM 2.0 part 2) from bytes a stranger sent: every read is bounded, and `end` refuses what is left over. */
export class ByteReader {
  readonly #bytes: Buffer
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get offset(): number {
    return this.#offset
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset
  }

  take(length: number): Buffer {
    if (length > this.remaining) throw new MalformedBytes(`${length} bytes wanted at ${this.#offset}, ${this.remaining} left`)
    this.#offset += length
    return this.#bytes.subarray(this.#offset - length, this.#offset)
  }

  u8(): number {
    return this.take(1).readUInt8()
  }

  u16(): number {
    return this.take(2).readUInt16BE()
  }

  u32(): number {
    return this.take(4).readUInt32BE()
  }

  u64(): bigint {
    return this.take(8).readBigUInt64BE()
  }

  /** A TPM2B: 16-bit length, then so many bytes, at most `bytesMax`. */
  sized(bytesMax: number): Buffer {
    const length = this.u16()
    if (length > bytesMax) throw new MalformedBytes(`TPM2B of ${length} bytes at ${this.#offset}, at most ${bytesMax}`)
    return this.take(length)
  }

  /** Trailing bytes are refused: two readers that disagree about them would believe two things. */
  end(): void {
    if (this.remaining > 0) throw new MalformedBytes(`${this.remaining} trailing bytes`)
  }
}
