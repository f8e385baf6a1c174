/** Brings the jars of the broker and the schema registry into the cache, and only such as have the checksum that is checked in. */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { cacheDirectory, isCached, releaseDirectory, releases } from './releases.mjs'
import { run, SetUpError } from './say.mjs'

const pom = fileURLToPath(new URL('pom.xml', import.meta.url))

export const missingReleases = () => Object.values(releases).filter((release) => !isCached(release))

/** Needs Maven only where something is missing. */
export async function bringReleases() {
  const missing = missingReleases()
  if (missing.length === 0) return
  mkdirSync(cacheDirectory(), { recursive: true })
  const scratch = mkdtempSync(join(cacheDirectory(), 'download-'))
  try {
    const what = `download ${missing.map(({ name, version, megabytes }) => `${name} ${version} (${megabytes} MB)`).join(' and ')} with Maven`
    const goals = missing.map(({ goal }) => goal)
    await run(what, 'mvn', ['--batch-mode', '--no-transfer-progress', '--file', pom, ...goals, `-DoutputDirectory=${scratch}`])
    for (const release of missing) await keep(release, scratch)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

async function keep(release, scratch) {
  const files = readChecksums(readFileSync(release.files, 'utf8'))
  await verify(release, files, scratch)
  const draft = join(scratch, `${release.name}.draft`)
  mkdirSync(draft)
  for (const name of files.keys()) {
    if (!name.endsWith('.tar.gz')) renameSync(join(scratch, name), join(draft, name))
    else await run(`unpack ${name}`, 'tar', ['-xzf', join(scratch, name), '-C', draft])
  }
  try {
    renameSync(draft, releaseDirectory(release))
  } catch (error) {
    // Another set-up on this machine was first, with the same checksums.
    if (!existsSync(releaseDirectory(release))) throw error
  }
}

/** Lines as `sha256sum` writes them: checksum, two spaces, file name. */
export function readChecksums(text) {
  const lines = text.split('\n').filter((line) => line !== '')
  return new Map(
    lines.map((line) => {
      const [, sha256, name] = /^([0-9a-f]{64}) {2}([\w.-]+)$/.exec(line) ?? []
      if (!name) throw new Error(`not a checksum and a file name: ${line}`)
      return [name, sha256]
    }),
  )
}

/** Refuses a file that is missing or is not the one that was checked in. */
export async function verify(release, files, directory) {
  const present = new Set(readdirSync(directory))
  for (const [name, expected] of files) {
    const actual = present.has(name) ? await sha256Of(join(directory, name)) : 'missing'
    if (actual === expected) continue
    throw new SetUpError(
      `${name} of ${release.name} ${release.version} is refused: its SHA-256 is ${actual}, ${fileURLToPath(release.files)} says ${expected}.`,
      `Nothing was installed. Remove it from Maven's own store (rm -r ~/.m2/repository and what is behind a proxy) and try again; if it comes back, do not use it: someone changed it on its way.`,
    )
  }
}

async function sha256Of(path) {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
