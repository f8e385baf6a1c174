import { readFileSync } from 'node:fs'
import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { accepted, type DecisionPointPolicy, type Result, refused } from '@interlock/contracts'
import { assertPrivate, strictJson } from '@interlock/trust'
import { type Evaluation, evaluationResponseSchema } from './evaluation.ts'

export type DecisionPointReason =
  | 'decision-point-refuses'
  | 'decision-point-timeout'
  | 'decision-point-unavailable'
  | 'decision-point-malformed'
  | 'decision-point-missing'

/** Whoever else must have nothing against a command. */
export interface DecisionPoint {
  /** Accepted for a clear yes; anything else is a no. */
  ask(at: DecisionPointPolicy, evaluation: Evaluation, requestId: string): Promise<Result<void, DecisionPointReason>>
}

/** PEM files by which an external decision point knows us, and we it; none where it asks for none. */
export type DecisionPointCredentials = {
  readonly tokenFile?: string | undefined
  readonly certificate?: string | undefined
  readonly key?: string | undefined
  readonly roots?: string | undefined
}

const answerBytesMax = 65_536

/** Asks over HTTP (AuthZEN Authorization API 1.0 §6, §10). Where, says only the signed entry; no answer leads anywhere else. */
export class HttpDecisionPoint implements DecisionPoint {
  readonly #token: string | undefined
  readonly #plain = new HttpAgent({ keepAlive: true })
  readonly #tls: HttpsAgent

  /** @throws SigningKeyError where others than the owner may read a secret, Error where a file cannot be read */
  constructor({ tokenFile, certificate, key, roots }: DecisionPointCredentials) {
    for (const secret of [tokenFile, key]) if (secret !== undefined) assertPrivate(secret)
    this.#token = tokenFile === undefined ? undefined : readFileSync(tokenFile, 'utf8').trim()
    this.#tls = new HttpsAgent({
      keepAlive: true,
      minVersion: 'TLSv1.3',
      ...(certificate !== undefined && { cert: readFileSync(certificate) }),
      ...(key !== undefined && { key: readFileSync(key) }),
      ...(roots !== undefined && { ca: readFileSync(roots) }),
    })
  }

  async ask(at: DecisionPointPolicy, evaluation: Evaluation, requestId: string): Promise<Result<void, DecisionPointReason>> {
    let answer: { readonly status: number; readonly type: string; readonly body: Buffer }
    try {
      answer = await this.#post(at, JSON.stringify(evaluation), requestId)
    } catch (error) {
      const isLate = (error as Error).name === 'AbortError' || (error as Error).name === 'TimeoutError'
      if (isLate) return refused('decision-point-timeout', { timeoutMs: at.timeoutMs })
      return refused('decision-point-unavailable', { error: String((error as { code?: string }).code ?? 'failed') })
    }
    if (answer.status !== 200) return refused('decision-point-unavailable', { status: answer.status })
    // Two members `decision` of which readers take one or the other are no clear answer.
    const response = evaluationResponseSchema.safeParse(strictJson(answer.body))
    if (!/^application\/json\b/i.test(answer.type) || !response.success) return refused('decision-point-malformed')
    return response.data.decision ? accepted(undefined) : refused('decision-point-refuses')
  }

  close(): void {
    this.#plain.destroy()
    this.#tls.destroy()
  }

  #post({ url, timeoutMs }: DecisionPointPolicy, body: string, requestId: string) {
    const isTls = url.startsWith('https:')
    const headers = {
      ...{ 'content-type': 'application/json', accept: 'application/json', 'x-request-id': requestId },
      ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
    }
    // Of the whole exchange: connecting, waiting, and an answer that comes in drops.
    const options = { method: 'POST', headers, agent: isTls ? this.#tls : this.#plain, signal: AbortSignal.timeout(timeoutMs) }
    return new Promise<{ status: number; type: string; body: Buffer }>((resolve, reject) => {
      const sent = (isTls ? httpsRequest : httpRequest)(url, options, (response) => {
        const parts: Buffer[] = []
        let bytes = 0
        response.on('data', (part: Buffer) => {
          bytes += part.length
          parts.push(part)
          if (bytes > answerBytesMax) sent.destroy(new Error('the answer is too large'))
        })
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', body: Buffer.concat(parts) }),
        )
        response.on('error', reject)
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }
}
