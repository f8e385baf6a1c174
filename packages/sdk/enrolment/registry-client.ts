/** The registry said no, or cannot be reached. `code` is its reason. */
export class EnrolmentError extends Error {
  readonly code: string
  readonly retriable: boolean
  constructor(code: string, message: string) {
    super(message)
    this.name = 'EnrolmentError'
    this.code = code
    this.retriable = ['unreachable', 'too-many-challenges', 'not-recorded', 'order-pending', 'sub-agent-pending'].includes(code)
  }
}

export const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')
export const bytesOf = (value: unknown) => Buffer.from(String(value), 'base64url')

/** An agent's certificates as the registry answers them, DER, leaf first. */
export const chainOf = (answer: Record<string, unknown>): Buffer[] => (answer.chain as string[]).map(bytesOf)

/** @throws EnrolmentError */
export function post(registry: string, path: string, body: object): Promise<Record<string, unknown>> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  return ask(registry, path, init)
}

/** @throws EnrolmentError */
export async function ask(registry: string, path: string, init: RequestInit = {}): Promise<Record<string, unknown>> {
  const response = await fetch(`${registry}${path}`, { ...init, redirect: 'error' }).catch((cause: unknown) => {
    throw new EnrolmentError('unreachable', `the registry at ${registry} does not answer: ${String(cause)}`)
  })
  const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>
  if (response.ok) return answer
  const code = typeof answer.error === 'string' ? answer.error : `http-${response.status}`
  throw new EnrolmentError(code, `the registry refuses: ${code}`)
}
