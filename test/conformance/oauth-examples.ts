import { actorSchema, grantsSchema } from '@interlock/contracts'
import { signAgentAssertion } from '@interlock/sdk'
import { createFixture } from '@interlock/sdk/fixture'
import { readTaskToken } from '@interlock/trust'
import { startTestServer } from '../../services/token-service/test-server.ts'
import { type Judgement, report, type SuiteReport, vectorFile } from './suite.ts'

type Examples = {
  readonly rfc8693_nested_act?: { readonly act: unknown }
  readonly rfc8693_request_form?: Readonly<Record<string, string>>
  readonly rfc9396_authorization_details?: readonly object[]
}

const passedIf = (isRight: boolean, why: string): Judgement => (isRight ? { kind: 'passed' } : { kind: 'failed', why })

/** Examples of RFC 8693 and RFC 9396. They are of other systems: what they are is read as they mean it, and nothing is granted by them. */
export async function oauthExamples(folder: string): Promise<SuiteReport | undefined> {
  const examples = vectorFile(folder, 'oauth', 'oauth-rfc-examples.json') as Examples | undefined
  if (!examples) return undefined
  const { rfc8693_nested_act: nested, rfc8693_request_form: form, rfc9396_authorization_details: details } = examples
  return report('oauth examples', [
    ...(nested ? judgeActors(nested) : []),
    ...(form ? await judgeRequest(form) : []),
    ...(details ? judgeDetails(details) : []),
  ])
}

function judgeActors(claims: { readonly act: unknown }): [string, Judgement][] {
  const read = actorSchema.safeParse(claims.act)
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const token = `${encode({ typ: 'task+jwt', alg: 'ES256', kid: 'x' })}.${encode(claims)}.${encode('x')}`
  return [
    ['RFC 8693 §4.1 nested act', passedIf(read.success && read.data.act !== undefined, 'not read as it is')],
    ['RFC 8693 §4.1 claims without grant and binding', passedIf(!readTaskToken(token).ok, 'taken for a task token')],
  ]
}

/** As it stands by nobody, and by a client of ours: its token is of another issuer, its resource another system's. */
async function judgeRequest(form: Readonly<Record<string, string>>): Promise<[string, Judgement][]> {
  const fixture = await createFixture(Date.now())
  const server = await startTestServer(fixture)
  const post = async (fields: Readonly<Record<string, string>>) => {
    const response = await fetch(`${server.issuer}/token`, { method: 'POST', body: new URLSearchParams(fields) })
    return ((await response.json()) as { error?: string }).error
  }
  const authenticated = async () => ({
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await signAgentAssertion(fixture.key('agent-job-orchestrator-o1'), server.issuer, 'client'),
  })
  const { resource: _, ...ours } = form
  try {
    const answers = [
      ['by nobody', await post(form), 'invalid_client'],
      ['for another resource', await post({ ...form, ...(await authenticated()) }), 'invalid_target'],
      ['with a token of another issuer', await post({ ...ours, ...(await authenticated()) }), 'invalid_grant'],
    ] as const
    return answers.map(([what, answer, expected]) => [
      `RFC 8693 §2.1 request ${what}`,
      passedIf(answer === expected, `answered ${answer}, not ${expected}`),
    ])
  } finally {
    server.stop()
  }
}

/** RFC 9396 §5: a type that is not known is refused, each by itself and all together. */
const judgeDetails = (details: readonly object[]): [string, Judgement][] =>
  [...details.map((detail) => [detail]), details].map((list, at) => [
    `RFC 9396 §2 details ${at}`,
    passedIf(!grantsSchema.safeParse(list).success, 'a type of another system was taken'),
  ])
