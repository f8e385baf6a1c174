import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { type Ack, ackStatementSchema } from '@interlock/contracts'
import { canonicalBytes } from '@interlock/trust'

/**
 * What a forger makes of a device's true ack: the same TPM structure over another statement, "completed", signed by a key of their own.
 * All is right but the key, which is not the one enrolled for the device.
 */
export function forgeCompletion(genuine: Ack): Ack {
  const said = ackStatementSchema.parse(JSON.parse(genuine.statement.toString('utf8')))
  const statement = canonicalBytes({ ...said, status: 'completed', measured: { energyJoules: 1 } })
  const attest = Buffer.from(genuine.attest)
  sha256(statement).copy(attest, attest.indexOf(sha256(genuine.statement)))
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signature = sign('sha256', attest, { key: privateKey, dsaEncoding: 'ieee-p1363' })
  // TPMT_SIGNATURE: TPM_ALG_ECDSA, TPM_ALG_SHA256, r and s with their sizes (TPM 2.0 part 2, 11.3.4).
  const framed = [
    Buffer.from('0018000b0020', 'hex'),
    signature.subarray(0, 32),
    Buffer.from('0020', 'hex'),
    signature.subarray(32),
  ]
  return { ...genuine, status: 'completed', statement, attest, signature: Buffer.concat(framed) }
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest()
