/** TPM response codes that a caller can do something about (part 2, 6.6), as error codes. */
const responses = new Map<number, readonly [code: string, remedy: string]>([
  [0x100, ['tpm-not-started', 'send TPM2_Startup first']],
  [0x101, ['tpm-failure-mode', 'the TPM is in failure mode: power-cycle it; for swtpm, give --tpmstate an absolute path']],
  [0x12f, ['tpm-auth-unavailable', 'the object is not authorised this way: satisfy its policy']],
  [0x902, ['tpm-no-object-slot', 'flush transient objects that are left over, or use /dev/tpmrm0']],
  [0x903, ['tpm-no-session-slot', 'flush sessions that are left over']],
  [0x905, ['tpm-no-session-slot', 'flush sessions that are left over']],
  [0x908, ['tpm-yielded', 'send the command again']],
  [0x909, ['tpm-cancelled', 'send the command again']],
  [0x90a, ['tpm-testing', 'wait for the self-test, then send the command again']],
  [0x910, ['tpm-handle', 'the object is gone: load or create it anew']],
  [0x920, ['tpm-nv-rate', 'wait, then send the command again']],
  [0x921, ['tpm-lockout', 'wait for the dictionary-attack lockout to end, or reset it with the lockout authorisation']],
  [0x922, ['tpm-retry', 'send the command again']],
  [0x923, ['tpm-nv-unavailable', 'wait for NV memory, then send the command again']],
  [0x8b, ['tpm-handle', 'the object is gone: load or create it anew']],
  [0x8e, ['tpm-auth-failed', 'give the right authorisation value; each wrong one counts towards lockout']],
  [0x9d, ['tpm-policy', 'run the policy commands that the object demands first']],
  [0x9f, ['tpm-integrity', 'the blob was made for another key or altered: ask for a new one']],
  [0xa0, ['tpm-ticket', 'let this TPM hash the data; it gives no ticket for data that begin with its own magic']],
  [0xa2, ['tpm-auth-failed', 'give the right authorisation value']],
])

const retriableCodes = new Set(['tpm-yielded', 'tpm-cancelled', 'tpm-testing', 'tpm-nv-rate', 'tpm-retry', 'tpm-nv-unavailable'])

/** The TPM said no, or could not be reached. Infrastructure, never a refusal: nobody's evidence was judged. */
export class TpmError extends Error {
  override readonly name = 'TpmError'
  readonly code: string
  readonly retriable: boolean
  /** What to do about it. */
  readonly remedy: string
  /** TPM_RC, where it was the TPM that answered. */
  readonly responseCode: number | undefined

  constructor(code: string, said: string, about: { remedy: string; retriable: boolean; responseCode?: number; cause?: unknown }) {
    super(`${said}: ${about.remedy}`, about.cause === undefined ? {} : { cause: about.cause })
    this.code = code
    this.remedy = about.remedy
    this.retriable = about.retriable
    this.responseCode = about.responseCode
  }
}

/** Format-one codes (bit 7) carry the number of the parameter, session or handle that was wrong; the code itself is in six bits. */
const withoutPosition = (responseCode: number): number => (responseCode & 0x80 ? responseCode & 0xbf : responseCode)

export function responseError(command: string, responseCode: number): TpmError {
  const [code, remedy] = responses.get(withoutPosition(responseCode)) ?? [
    'tpm-refused',
    'see TPM 2.0 part 2, 6.6 for the response code',
  ]
  const said = `TPM2_${command} answered 0x${responseCode.toString(16).padStart(3, '0')}`
  return new TpmError(code, said, { remedy, retriable: retriableCodes.has(code), responseCode })
}
