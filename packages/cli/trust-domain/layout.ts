import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Where `interlock dev init` puts what, under one directory. */
export function layoutOf(directory: string) {
  return {
    directory,
    trustBundle: join(directory, 'trust-bundle.json'),
    controlEntries: join(directory, 'control.json'),
    keys: join(directory, 'keys'),
    key: (name: string) => join(directory, 'keys', `${name}.key.pem`),
    chain: (name: string) => join(directory, 'keys', `${name}.chain.pem`),
    humans: join(directory, 'humans'),
    passkey: (human: string) => join(directory, 'humans', `${human}.passkey.json`),
    jobs: join(directory, 'jobs'),
    job: (jobId: string) => join(directory, 'jobs', `${encodeURIComponent(jobId)}.json`),
    /** URL of the folder where large programs lie: the local stack's services and machines share it. */
    programs: pathToFileURL(resolve(directory, 'programs')).href,
    /** Written by the running stack: where its parts are. */
    stack: join(directory, 'stack.json'),
  }
}

export type Layout = ReturnType<typeof layoutOf>
