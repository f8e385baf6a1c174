/** Finds a Java that can run the broker. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

export const javaVersionMin = 17

/** The command of the first Java that is new enough: JAVA_HOME's, the path's, then Homebrew's, which is in no path. */
export function findJava(environment = process.env) {
  const candidates = [
    ...(environment.JAVA_HOME ? [join(environment.JAVA_HOME, 'bin', 'java')] : []),
    'java',
    '/opt/homebrew/opt/openjdk/bin/java',
    '/usr/local/opt/openjdk/bin/java',
  ]
  return candidates.find((command) => versionOf(command, environment) >= javaVersionMin)
}

/** 0 where there is none; macOS has a `java` that only says that there is none. */
function versionOf(command, environment) {
  const { status, stderr } = spawnSync(command, ['-version'], { encoding: 'utf8', env: environment })
  const [, version] = status === 0 ? (/version "(\d+)/.exec(stderr) ?? []) : []
  return Number(version ?? 0)
}
