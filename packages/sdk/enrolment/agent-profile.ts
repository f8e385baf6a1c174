import type { KeyObject } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { chainPem, keyPem } from '../pem.ts'
import { replacePrivateFile } from '../private-file.ts'
import { EnrolmentError } from './registry-client.ts'

const schema = z.strictObject({
  /** Origin of the registry that certified it. */
  registry: z.url(),
  /** SPIFFE ID. */
  subject: z.string().max(2048),
  /** Where its key lives, host:port or a device file, and the PCRs that the registry wants quoted. Absent: the key is in the identity file. */
  tpm: z.strictObject({ address: z.string().min(1), pcrs: z.array(z.int().min(0).max(23)).min(1).max(24) }).optional(),
})

/** What an enrolled agent's process needs to know of itself. */
export type AgentProfile = z.infer<typeof schema>

const profileFile = (directory: string) => join(directory, 'profile.json')
/** Certificates, leaf first, and before them the private key where no TPM keeps it. One file, so that both change in one step. */
export const identityFile = (directory: string): string => join(directory, 'identity.pem')

/** @throws EnrolmentError `profile-missing`, `profile-malformed` */
export function readProfile(directory: string): AgentProfile {
  const file = profileFile(directory)
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new EnrolmentError('profile-missing', `${file} is not there: run \`interlock agent enroll\` first`)
    throw new EnrolmentError('profile-malformed', `${file} is no profile: enrol the agent again (${String(error)})`)
  }
}

/** The identity goes first: a profile that is there is whole. */
export function writeProfile(directory: string, profile: AgentProfile, chain: readonly Buffer[], privateKey?: KeyObject): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  writeIdentity(directory, chain, privateKey)
  replacePrivateFile(profileFile(directory), `${JSON.stringify(profile, null, 2)}\n`)
}

export function writeIdentity(directory: string, chain: readonly Buffer[], privateKey?: KeyObject): void {
  replacePrivateFile(identityFile(directory), `${privateKey ? keyPem(privateKey) : ''}${chainPem(chain)}`)
}
