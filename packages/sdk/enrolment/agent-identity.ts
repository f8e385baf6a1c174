import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { SpiffeId } from '@interlock/contracts'
import { identified, openSigningKey, openTransport } from '@interlock/tpm'
import { loadSigningKey, pemCertificates, type SigningKey, signingKey } from '@interlock/trust'
import { type AgentProfile, identityFile, readProfile, writeIdentity } from './agent-profile.ts'
import { keyLabel, renewAgent } from './enrol.ts'
import { renewSoftwareAgent } from './enrol-software.ts'
import { EnrolmentError } from './registry-client.ts'

/** An enrolled agent's key as its profile has it, and the way to its next certificate. */
export type AgentIdentity = {
  readonly present: SigningKey
  /** Written to the profile before it is returned. @throws EnrolmentError, TpmError */
  next(present: SigningKey): Promise<SigningKey>
  close(): Promise<void>
}

/** @throws EnrolmentError, TpmError, SigningKeyError */
export function openIdentity(directory: string): Promise<AgentIdentity> {
  const { registry, subject, tpm } = readProfile(directory)
  return tpm ? inTpm(directory, { registry, subject, tpm }) : inFile(directory, registry)
}

async function inFile(directory: string, registry: string): Promise<AgentIdentity> {
  const file = identityFile(directory)
  return {
    present: loadSigningKey(file, file),
    async next(present) {
      // The certificate is all that proves who asks.
      assertCounts(present)
      const { privateKey, chain } = await renewSoftwareAgent(registry, present)
      writeIdentity(directory, chain, privateKey)
      return signingKey(privateKey, chain)
    },
    close: async () => {},
  }
}

/** The key in the TPM stays; what is renewed is what the registry says of it. */
async function inTpm(
  directory: string,
  profile: AgentProfile & { tpm: NonNullable<AgentProfile['tpm']> },
): Promise<AgentIdentity> {
  const { registry, tpm } = profile
  const subject = profile.subject as SpiffeId
  const transport = await openTransport(tpm.address)
  try {
    const key = await openSigningKey(transport, keyLabel)
    return {
      present: identified(key, subject, pemCertificates(readFileSync(identityFile(directory), 'utf8'))),
      async next() {
        const renewed = await renewAgent({ registry, transport, pcrs: tpm.pcrs }, subject)
        await renewed.close()
        const { chain } = renewed.key
        writeIdentity(directory, chain)
        return identified(key, subject, chain)
      },
      close: async () => {
        await key.close()
        await transport.close()
      },
    }
  } catch (error) {
    await transport.close()
    throw error
  }
}

function assertCounts({ chain, spiffeId }: SigningKey): void {
  if (Date.now() < new X509Certificate(chain[0] as Buffer).validToDate.getTime()) return
  const advice = 'have it admitted again, and run `interlock agent enroll`'
  throw new EnrolmentError('certificate-expired', `the certificate of ${spiffeId} ended: ${advice}`)
}
