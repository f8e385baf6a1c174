import { randomBytes } from 'node:crypto'
import { algorithm, type HashName, hashId } from '../structures/algorithms.ts'
import { sized, u8, u16, u32 } from '../structures/bytes.ts'
import type { TpmTransport } from '../transport/transport.ts'
import { emptyPassword, execute, policySession, handle as wellKnown } from './execute.ts'
import { flushContext } from './flush-context.ts'

/** TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET without their lengths, as `makeCredential` gives them. */
export type Credential = { readonly credentialBlob: Buffer; readonly encryptedSecret: Buffer }

/** Which policy an endorsement key's template has: that of the endorsement hierarchy's secret, alone or as one branch of several. */
export type EndorsementPolicy = { readonly hash: HashName; readonly branches: readonly Uint8Array[] }

const policySessionType = 1
const none = sized(Buffer.alloc(0))

/** TPM2_StartAuthSession: an unsalted, unbound policy session. */
async function startPolicySession(transport: TpmTransport, hash: HashName): Promise<number> {
  const { handle } = await execute(transport, {
    name: 'StartAuthSession',
    handles: [wellKnown.null, wellKnown.null],
    parameters: [sized(randomBytes(16)), none, u8(policySessionType), u16(algorithm.null), u16(hashId[hash])],
    hasResponseHandle: true,
  })
  return handle
}

/** TPM2_PolicySecret with the endorsement hierarchy, then TPM2_PolicyOR where the template has branches (EK Credential Profile, B.6). */
async function satisfy(transport: TpmTransport, session: number, policy: EndorsementPolicy): Promise<void> {
  await execute(transport, {
    name: 'PolicySecret',
    handles: [wellKnown.endorsement, session],
    authorisations: [emptyPassword],
    parameters: [none, none, none, u32(0)],
  })
  if (policy.branches.length === 0) return
  const branches = [u32(policy.branches.length), ...policy.branches.map(sized)]
  await execute(transport, { name: 'PolicyOR', handles: [session], parameters: branches })
}

/** TPM2_ActivateCredential: opens a credential made for the endorsement key and the attestation key's name. */
export async function activateCredential(
  transport: TpmTransport,
  request: { attestationKey: number; endorsementKey: number; policy: EndorsementPolicy; credential: Credential },
): Promise<Buffer> {
  const session = await startPolicySession(transport, request.policy.hash)
  try {
    await satisfy(transport, session, request.policy)
    const { parameters } = await execute(transport, {
      name: 'ActivateCredential',
      handles: [request.attestationKey, request.endorsementKey],
      authorisations: [emptyPassword, policySession(session)],
      parameters: [sized(request.credential.credentialBlob), sized(request.credential.encryptedSecret)],
    })
    return parameters.sized(64)
  } finally {
    await flushContext(transport, session)
  }
}
