/** The two Java programs of the local stack, and where a user's machine keeps them: once, for all clones. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** `goal` brings it by pom.xml, which names the same version; `files` is the checked-in list of what a release consists of, with checksums. */
export const releases = {
  kafka: {
    name: 'kafka',
    version: '4.4.0',
    megabytes: 43,
    goal: 'dependency:copy-dependencies',
    files: new URL('kafka.sha256', import.meta.url),
  },
  apicurio: {
    name: 'apicurio',
    version: '3.0.9',
    megabytes: 109,
    goal: 'dependency:copy',
    files: new URL('apicurio.sha256', import.meta.url),
  },
}

export function cacheDirectory(environment = process.env) {
  return join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'interlock')
}

/** Put there by one rename, after every checksum was right: what is there is whole. */
export function releaseDirectory({ name, version }, environment = process.env) {
  return join(cacheDirectory(environment), `${name}-${version}`)
}

export const isCached = (release, environment = process.env) => existsSync(releaseDirectory(release, environment))
