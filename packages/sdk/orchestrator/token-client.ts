import { setTimeout as wait } from 'node:timers/promises'
import type { Grant } from '@interlock/contracts'
import type { SigningKey } from '@interlock/trust'
import * as oauth from 'oauth4webapi'
import { z } from 'zod'
import { signAgentAssertion } from './agent-assertion.ts'
import { signDpopProof } from './dpop-proof.ts'

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const exchangeType = 'urn:ietf:params:oauth:grant-type:token-exchange'
const standingGrantType = 'urn:interlock:params:oauth:grant-type:standing-grant'
const jwtType = 'urn:ietf:params:oauth:token-type:jwt'

const standingGrantSchema = z.object({
  standing_grant: z.string(),
  user_code: z.string(),
  verification_uri_complete: z.string(),
})

export type JobToRequest = {
  readonly human: string
  readonly grants: readonly Grant[]
  /** SPIFFE IDs of the sub-agents that the job needs. */
  readonly mayDelegateTo?: readonly string[]
  /** The token service makes a name where there is none. */
  readonly job?: string
  /** Seconds, at most a day; an hour where left out. */
  readonly lifetime?: number
}

/** A job that waits for its human. */
export type RequestedJob = {
  readonly job: string
  /** What the human opens or types. */
  readonly userCode: string
  readonly verificationUri: string
  readonly deviceCode: string
  readonly intervalMs: number
}

export type StandingGrantToRequest = Omit<JobToRequest, 'job'> & {
  /** Begins the name of each of its jobs: lower case letters, digits and hyphens. */
  readonly name: string
  readonly jobs: number
  readonly jobsPerDay: number
  /** Seconds from now on in which jobs may begin, an hour to 28 days; a week where left out. */
  readonly validity?: number
}

/** A standing grant that waits for its human. `standingGrant` is its id, for `startJob`. */
export type RequestedStandingGrant = Pick<RequestedJob, 'userCode' | 'verificationUri'> & { readonly standingGrant: string }

export type TokenToExchange = {
  readonly token: string
  /** An assertion of the sub-agent (`signAgentAssertion`, kind `actor`). */
  readonly actorToken: string
  /** At most the token's own; all of them where left out. */
  readonly grants?: readonly Grant[]
  readonly mayDelegateTo?: readonly string[]
}

export type TokenClientOptions = {
  /** Sends a DPoP proof with each request (RFC 9449): the tokens are then taken back by the token service with a proof only. */
  readonly dpop?: boolean
}

/** The token service said no, or cannot be reached. `code` is its OAuth error. */
export class TokenServiceError extends Error {
  readonly code: string
  readonly retriable: boolean
  constructor(code: string, message: string, cause: unknown) {
    super(message, { cause })
    this.name = 'TokenServiceError'
    this.code = code
    this.retriable = code === 'temporarily_unavailable' || code === 'unreachable'
  }
}

/** An agent's side of the token service: jobs, tokens for sub-agents, renewal, their end. Methods throw TokenServiceError. */
export class TokenClient {
  readonly #server: oauth.AuthorizationServer
  readonly #client: oauth.Client
  readonly #key: SigningKey
  readonly #options: ReturnType<typeof optionsFor> & { [oauth.customFetch]?: ProvingFetch }

  private constructor(server: oauth.AuthorizationServer, key: SigningKey, { dpop = false }: TokenClientOptions) {
    this.#server = server
    this.#client = { client_id: key.spiffeId }
    this.#key = key
    this.#options = { ...optionsFor(server.issuer), ...(dpop && { [oauth.customFetch]: fetchProving(key) }) }
  }

  /** Reads the server's metadata (RFC 8414). `key` is the agent's, with its certificate chain. */
  static async open(issuer: string, key: SigningKey, options: TokenClientOptions = {}): Promise<TokenClient> {
    const url = new URL(issuer)
    return told(async () => {
      const response = await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...optionsFor(issuer) })
      return new TokenClient(await oauth.processDiscoveryResponse(url, response), key, options)
    })
  }

  /** Asks for a job. Its human has to open the address and sign. */
  requestJob(request: JobToRequest): Promise<RequestedJob> {
    return told(async () => {
      const response = await oauth.deviceAuthorizationRequest(
        this.#server,
        this.#client,
        this.#authentication,
        parametersOf(request),
        this.#options,
      )
      const answer = await oauth.processDeviceAuthorizationResponse(this.#server, this.#client, response)
      return {
        job: String(answer.job),
        userCode: answer.user_code,
        verificationUri: answer.verification_uri_complete ?? answer.verification_uri,
        deviceCode: answer.device_code,
        intervalMs: (answer.interval ?? 5) * 1000,
      }
    })
  }

  /** Waits until the human has signed; the root token. */
  async rootToken({ deviceCode, intervalMs }: RequestedJob, signal?: AbortSignal): Promise<string> {
    for (;;) {
      try {
        return await told(async () => {
          const response = await oauth.deviceCodeGrantRequest(
            this.#server,
            this.#client,
            this.#authentication,
            deviceCode,
            this.#options,
          )
          return (await oauth.processDeviceCodeResponse(this.#server, this.#client, response)).access_token
        })
      } catch (error) {
        if (!(error instanceof TokenServiceError) || !['authorization_pending', 'slow_down'].includes(error.code)) throw error
      }
      await wait(intervalMs, undefined, { ...(signal && { signal }) })
    }
  }

  /** Asks for a standing grant: its human signs once, and jobs may then begin while nobody is there. */
  requestStandingGrant(request: StandingGrantToRequest): Promise<RequestedStandingGrant> {
    const { name, jobs, jobsPerDay, validity, ...job } = request
    const own = { name, jobs: String(jobs), jobs_per_day: String(jobsPerDay) }
    const body = new URLSearchParams({
      ...parametersOf(job),
      ...own,
      ...(validity !== undefined && { validity: String(validity) }),
    })
    return told(async () => {
      await this.#authentication(this.#server, this.#client, body, new Headers())
      const response = await fetch(`${this.#server.issuer}/standing_grants`, { method: 'POST', body })
      if (!response.ok) throw await refusalOf(response)
      const answer = standingGrantSchema.parse(await response.json())
      return {
        standingGrant: answer.standing_grant,
        userCode: answer.user_code,
        verificationUri: answer.verification_uri_complete,
      }
    })
  }

  /** A job under a standing grant, with its root token: nobody is asked any more. */
  startJob(standingGrant: string): Promise<{ readonly job: string; readonly token: string }> {
    return told(async () => {
      const response = await oauth.genericTokenEndpointRequest(
        this.#server,
        this.#client,
        this.#authentication,
        standingGrantType,
        { standing_grant: standingGrant },
        this.#options,
      )
      const answer = await oauth.processGenericTokenEndpointResponse(this.#server, this.#client, response)
      return { job: String(answer.job), token: answer.access_token }
    })
  }

  /** A narrower token for a sub-agent (RFC 8693). */
  exchange({ token, actorToken, grants, mayDelegateTo }: TokenToExchange): Promise<string> {
    return this.#exchange({
      subject_token: token,
      actor_token: actorToken,
      actor_token_type: jwtType,
      ...(grants && { authorization_details: JSON.stringify(grants) }),
      ...(mayDelegateTo && { may_act: JSON.stringify(mayDelegateTo) }),
    })
  }

  /** The same grant with a fresh life, bound to this agent's present certificate. */
  renew(token: string): Promise<string> {
    return this.#exchange({ subject_token: token })
  }

  /** RFC 7662; only what the server tells an actor of the token. */
  introspect(token: string): Promise<oauth.IntrospectionResponse> {
    return told(async () => {
      const response = await oauth.introspectionRequest(this.#server, this.#client, this.#authentication, token, this.#options)
      return oauth.processIntrospectionResponse(this.#server, this.#client, response)
    })
  }

  /** RFC 7009: ends a token and all that hang on it. In force when it resolves; everywhere else within a second. */
  revoke(token: string): Promise<void> {
    return told(async () => {
      const response = await oauth.revocationRequest(this.#server, this.#client, this.#authentication, token, this.#options)
      await oauth.processRevocationResponse(response)
    })
  }

  #exchange(parameters: Record<string, string>): Promise<string> {
    return told(async () => {
      const response = await oauth.genericTokenEndpointRequest(
        this.#server,
        this.#client,
        this.#authentication,
        exchangeType,
        { subject_token_type: jwtType, ...parameters },
        this.#options,
      )
      return (await oauth.processGenericTokenEndpointResponse(this.#server, this.#client, response)).access_token
    })
  }

  /** private_key_jwt (RFC 7523 §2.2). The library's own needs the private key itself; ours may live in a TPM. */
  readonly #authentication: oauth.ClientAuth = async (server, client, body) => {
    body.set('client_id', client.client_id)
    body.set('client_assertion_type', assertionType)
    body.set('client_assertion', await signAgentAssertion(this.#key, server.issuer, 'client'))
  }
}

type ProvingFetch = (url: string, options: oauth.CustomFetchOptions<string, unknown>) => Promise<Response>

/** The library's own DPoP needs the private key itself; ours may live in a TPM. */
function fetchProving(key: SigningKey): ProvingFetch {
  return async (url, { method, headers, body, redirect, signal }) => {
    const sent = { ...headers, dpop: await signDpopProof(key, { method, url }) }
    return fetch(url, { method, headers: sent, body: body as string, redirect, ...(signal && { signal }) })
  }
}

function parametersOf({ human, grants, mayDelegateTo, job, lifetime }: JobToRequest): Record<string, string> {
  return {
    login_hint: human,
    authorization_details: JSON.stringify(grants),
    ...(mayDelegateTo && { may_act: JSON.stringify(mayDelegateTo) }),
    ...(job !== undefined && { job }),
    ...(lifetime !== undefined && { job_lifetime: String(lifetime) }),
  }
}

/** What an endpoint that OAuth does not have answers with; errors look as OAuth's. */
async function refusalOf(response: Response): Promise<TokenServiceError> {
  const read = z.object({ error: z.string() }).safeParse(await response.json().catch(() => undefined))
  const code = read.success && response.status < 500 ? read.data.error : 'temporarily_unavailable'
  return new TokenServiceError(code, `the token service refuses: ${code}`, undefined)
}

/** Plain HTTP is for a server on the same machine. */
function optionsFor(issuer: string) {
  const { protocol, hostname } = new URL(issuer)
  const isHere = protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname)
  return { [oauth.allowInsecureRequests]: isHere }
}

async function told<Value>(ask: () => Promise<Value>): Promise<Value> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof oauth.ResponseBodyError)
      throw new TokenServiceError(error.error, `the token service refuses: ${error.error}`, error)
    // The library reads error codes of 4xx alone; a 5xx is the server's own trouble.
    if (error instanceof oauth.OperationProcessingError && error.cause instanceof Response && error.cause.status >= 500)
      throw new TokenServiceError('temporarily_unavailable', `the token service answers ${error.cause.status}: try again`, error)
    if (error instanceof TypeError) throw new TokenServiceError('unreachable', 'the token service does not answer', error)
    throw error
  }
}
