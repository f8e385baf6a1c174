import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { assertPrivate } from '@interlock/trust'
import { certifiedKeyOf, type Issuer, readCertificateFile, subjectKeyIdentifierOf } from '@interlock/trust/issue'

export type Pkcs11Settings = {
  /** The module's shared library. */
  readonly module: string
  /** CKA_LABEL of the token. */
  readonly token: string
  /** A file with the user PIN, readable by its owner alone. */
  readonly pinFile: string
}

const signatureBytes = 64
const answerMs = 10_000

/**
 * An authority whose key is in a hardware security module: it is asked for each signature, by OpenSC's pkcs11-tool. The key is the one whose CKA_ID is the subject key identifier
 * of the certificate, so that the certificate alone says which. @throws SigningKeyError where others may read the PIN
 */
export function loadPkcs11Issuer(settings: Pkcs11Settings, certificateFile: string): Issuer {
  assertPrivate(settings.pinFile)
  const pin = readFileSync(settings.pinFile, 'utf8').trim()
  const certificate = readCertificateFile(certificateFile)
  const asked = { ...settings, id: subjectKeyIdentifierOf(certificate), pin }
  // One at a time: modules differ in how many programs they bear at once (SoftHSM loses sight of its token).
  let last: Promise<unknown> = Promise.resolve()
  return {
    certificate,
    publicKey: certifiedKeyOf({ certificate }),
    sign: (bytes) => {
      const digest = createHash('sha256').update(bytes).digest()
      const signed = last.then(() => signInModule(asked, digest))
      last = signed.catch(() => {})
      return signed
    },
  }
}

type Asked = Omit<Pkcs11Settings, 'pinFile'> & { readonly id: string; readonly pin: string }

function signInModule({ module, token, id, pin }: Asked, digest: Buffer): Promise<Buffer> {
  const key = ['--module', module, '--token-label', token, '--id', id]
  // The PIN by the environment: arguments are seen by everybody on the machine.
  const words = [...key, '--login', '--pin', 'env:INTERLOCK_PIN', '--sign', '--mechanism', 'ECDSA', '--signature-format', 'rs']
  const child = spawn('pkcs11-tool', words, {
    env: { ...modulesOwn(), PATH: process.env.PATH, INTERLOCK_PIN: pin },
    timeout: answerMs,
  })
  const out: Buffer[] = []
  let said = ''
  child.stdout.on('data', (bytes: Buffer) => out.push(bytes))
  child.stderr.on('data', (bytes: Buffer) => {
    said = `${said}${bytes}`.slice(-500)
  })
  child.stdin.on('error', () => {})
  child.stdin.end(digest)
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(new Error('pkcs11-tool does not start: install opensc', { cause })))
    child.once('close', (code) => {
      const signature = Buffer.concat(out)
      if (code === 0 && signature.length === signatureBytes) resolve(signature)
      else reject(new Error(`the security module did not sign (${code}): ${said.trim()}`))
    })
  })
}

/** Modules find their settings by variables of their own, such as SOFTHSM2_CONF; ours are not theirs to see. */
const modulesOwn = () => Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('INTERLOCK_')))
