import { closeSync, constants, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { DeviceUse } from './device-use.ts'
import { type JournalEntry, journalEntrySchema } from './journal-entry.ts'

/** The journal cannot be relied on: somebody edited it, or the disk lost or refused part of it. */
export class JournalError extends Error {
  readonly code = 'journal-damaged'
  readonly retriable = false
}

/**
 * What a device has begun and ended, in an append-only file. An order is entered and fsynced BEFORE its command runs, so
 * that no restart, crash or repeated delivery can run it again (ATTACKS 94). Nothing is ever dropped from it.
 */
export class OrderJournal {
  readonly #file: number
  /** What the entries say of the machine's use. */
  readonly use = new DeviceUse()
  readonly #entries = new Map<string, JournalEntry>()
  #torn = false

  private constructor(file: number, entries: readonly JournalEntry[]) {
    this.#file = file
    for (const entry of entries) this.#keep(entry)
  }

  /** Opens or creates the file. @throws JournalError where a whole line cannot be read. */
  static open(path: string): OrderJournal {
    const file = openSync(path, constants.O_CREAT | constants.O_RDWR | constants.O_APPEND, 0o600)
    syncDirectory(dirname(path))
    const text = readFileSync(path, 'utf8')
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    // A line without its end was torn by a crash in the middle of the write: its fsync never returned, so nothing ran by it.
    if (whole.length !== text.length) ftruncateSync(file, Buffer.byteLength(whole))
    const lines = whole.split('\n').slice(0, -1)
    return new OrderJournal(
      file,
      lines.map((line, index) => parseLine(line, path, index + 1)),
    )
  }

  hasBegun(intentId: string): boolean {
    return this.#entries.has(intentId)
  }

  /** Orders whose answer the broker may not have: on a start, what a crash interrupted. */
  untold(): readonly JournalEntry[] {
    return [...this.#entries.values()].filter(({ state }) => state !== 'told')
  }

  /** Returns when the entry is on disk. @throws Error of the file system: then nothing may run. */
  enter(entry: JournalEntry): void {
    // After a write or fsync that failed nobody knows what is on disk, and a second fsync may report success: stop here.
    if (this.#torn) throw new JournalError('an earlier write to the journal failed: mend the disk and start the device again')
    this.#torn = true
    const line = Buffer.from(`${JSON.stringify(journalEntrySchema.parse(entry))}\n`)
    const written = writeSync(this.#file, line)
    if (written !== line.length) throw new JournalError(`only ${written} of ${line.length} bytes fitted: is the disk full?`)
    fsyncSync(this.#file)
    this.#torn = false
    this.#keep(entry)
  }

  close(): void {
    closeSync(this.#file)
  }

  #keep(entry: JournalEntry): void {
    this.#entries.set(entry.intentId, entry)
    this.use.add(entry)
  }
}

/** The file's name must survive a power cut too. */
function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  fsyncSync(directory)
  closeSync(directory)
}

function parseLine(line: string, path: string, number: number): JournalEntry {
  try {
    return journalEntrySchema.parse(JSON.parse(line))
  } catch (cause) {
    const advice = 'The device must not run until it is known what it ran: restore the file, or enrol the device anew.'
    throw new JournalError(`${path}:${number} is not a journal entry. ${advice}`, { cause })
  }
}
