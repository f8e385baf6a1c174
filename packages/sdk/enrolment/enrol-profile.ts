import { openTransport } from '@interlock/tpm'
import { decodeJwt } from 'jose'
import { writeProfile } from './agent-profile.ts'
import { enrolAgent } from './enrol.ts'
import { enrolSoftwareAgent } from './enrol-software.ts'
import { EnrolmentError } from './registry-client.ts'

export type ProfileRequest = {
  /** Where the profile is written; only its owner may read it. */
  readonly directory: string
  /** Origin of the registry. */
  readonly registry: string
  /** The operator's, as text. */
  readonly admission: string
  /** Says where the TPM is, host:port or a device file; asked only where the admission demands one. */
  readonly findTpm: () => string
  /** Certificates between the endorsement certificate and its vendor's root, DER. */
  readonly intermediates?: readonly Buffer[]
}

/** Enrols an agent as it was admitted, with a TPM or as software, and writes its profile. Returns its SPIFFE ID. @throws EnrolmentError, TpmError */
export async function enrolProfile({
  directory,
  registry,
  admission,
  findTpm,
  intermediates = [],
}: ProfileRequest): Promise<string> {
  const { subject, pcrs } = admittedBy(admission)
  if (!pcrs) {
    const { privateKey, chain } = await enrolSoftwareAgent(registry, admission)
    writeProfile(directory, { registry, subject }, chain, privateKey)
    return subject
  }
  const address = findTpm()
  const transport = await openTransport(address)
  try {
    const agent = await enrolAgent({ registry, transport, pcrs, intermediates }, admission)
    writeProfile(directory, { registry, subject, tpm: { address, pcrs } }, agent.key.chain)
    await agent.close()
    return subject
  } finally {
    await transport.close()
  }
}

type Admitted = {
  readonly subject: string
  /** Absent where it is of no TPM. */
  readonly pcrs?: number[]
  /** An event log must come along. */
  readonly isBootJudged: boolean
}

/** What an admission asks of whom. Only the registry can say whether it is genuine. @throws EnrolmentError `admission-malformed` */
export function admittedBy(admission: string): Admitted {
  try {
    const { subject, platform } = decodeJwt<{ subject: string; platform?: { pcrs: number[]; boot?: object } }>(admission)
    if (typeof subject !== 'string') throw new Error('it names nobody')
    return { subject, ...(platform && { pcrs: platform.pcrs }), isBootJudged: platform?.boot !== undefined }
  } catch (error) {
    throw new EnrolmentError(
      'admission-malformed',
      `this is no admission (${String(error)}): an operator makes one by \`interlock admit\``,
    )
  }
}
