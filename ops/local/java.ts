import { findJava, javaVersionMin } from '../setup/java.mjs'
import { isCached, type Release, releaseDirectory } from '../setup/releases.mjs'

/** A program that the set-up brings is not there. */
export class SetUpMissingError extends Error {
  readonly code = 'set-up-missing'
  readonly retriable = false
}

export const setUpAdvice = 'Run `node ops/setup/bootstrap.mjs`, which `npm start` and `npm test` do by themselves.'

export function javaCommand(): string {
  const java = findJava()
  if (java) return java
  throw new SetUpMissingError(`There is no Java ${javaVersionMin} or later on this machine. ${setUpAdvice}`)
}

/** Where a release's jars are. @throws SetUpMissingError */
export function installed(release: Release): string {
  if (isCached(release)) return releaseDirectory(release)
  throw new SetUpMissingError(`${releaseDirectory(release)} is not there. ${setUpAdvice}`)
}

/** What every Java process here gets: its own few variables, and nothing else that a user's shell happens to set. */
export const javaEnvironment = (): Record<string, string | undefined> => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  LANG: 'C.UTF-8',
})
