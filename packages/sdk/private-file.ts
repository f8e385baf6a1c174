import { closeSync, constants, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'

/** Writes a file that only its owner may read, and never over one that is there. @throws Error EEXIST */
export function createPrivateFile(path: string, text: string): void {
  write(path, text, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY)
}

/** Replaces a file in one step: a reader sees the old or the new one, whole. */
export function replacePrivateFile(path: string, text: string): void {
  const draft = `${path}.${process.pid}.tmp`
  write(draft, text, constants.O_CREAT | constants.O_TRUNC | constants.O_WRONLY)
  renameSync(draft, path)
}

function write(path: string, text: string, flags: number): void {
  const file = openSync(path, flags, 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
