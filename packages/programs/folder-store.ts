import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isNamed, nameOf, type ProgramStore, ProgramStoreError, pathOf, type StoredName } from './program-store.ts'

/** Programs as files of a folder, which may be a mounted one that stages and machines share. */
export class FolderStore implements ProgramStore {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async put(bytes: Uint8Array): Promise<StoredName> {
    const name = nameOf(bytes)
    if (await this.get(name)) return name
    const [folder, file] = pathOf(name)
    const directory = join(this.#folder, folder)
    const part = join(directory, `.${file}.${randomUUID()}`)
    try {
      await mkdir(directory, { recursive: true })
      await writeDurably(part, bytes)
      // Whole or not at all, also for who reads at this moment.
      await rename(part, join(directory, file))
    } catch (cause) {
      await rm(part, { force: true })
      throw unavailable(this.#folder, cause)
    }
    return name
  }

  async get(name: StoredName): Promise<Buffer | undefined> {
    const [folder, file] = pathOf(name)
    try {
      // Who writes into the folder may put a pipe there, whose opening would wait for a writer.
      await using handle = await open(join(this.#folder, folder, file), constants.O_RDONLY | constants.O_NONBLOCK)
      const found = await handle.stat()
      // Its size is looked at before anything is read: who writes into the folder must not fill our memory.
      if (!found.isFile() || found.size !== name.bytes) return undefined
      const bytes = await handle.readFile()
      return isNamed(bytes, name) ? bytes : undefined
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw unavailable(this.#folder, cause)
    }
  }
}

async function writeDurably(file: string, bytes: Uint8Array): Promise<void> {
  await using handle = await open(file, 'wx', 0o644)
  await handle.writeFile(bytes)
  await handle.sync()
}

const unavailable = (folder: string, cause: unknown) =>
  new ProgramStoreError('program-store-unavailable', `the folder of programs ${folder} cannot be used: ${String(cause)}`, cause)
