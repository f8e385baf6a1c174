import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { algorithmOf, readJws, readPublicJwk } from '@interlock/trust'
import { isSignedBy } from './json-web-keys.ts'
import { type Judgement, report, type SuiteReport } from './suite.ts'

type Jwk = { readonly kty?: string; readonly crv?: string; readonly d?: string; readonly k?: string }
type Example = Jwk & {
  readonly input?: { readonly key?: Jwk | readonly Jwk[] }
  readonly output?: Readonly<Record<string, unknown>>
}

/** Examples of RFC 7517, RFC 7520, RFC 7797 and RFC 8037: keys, and signatures in every serialisation. */
export function joseCookbook(vectors: string): SuiteReport | undefined {
  const folder = join(vectors, 'jose-cookbook')
  if (!existsSync(folder)) return undefined
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'))
  return report(
    'jose cookbook',
    files.sort().flatMap((name): [string, Judgement][] => {
      const example = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Example
      if (example.kty !== undefined) return [[name, judgeKey(example)]]
      if (name.includes('ecdh')) return [[name, leftOut('encryption: nothing here is encrypted')]]
      return judgeSignature(name, example)
    }),
  )
}

const leftOut = (why: string): Judgement => ({ kind: 'left out', why })
const passedIf = (isRight: boolean, why: string): Judgement => (isRight ? { kind: 'passed' } : { kind: 'failed', why })

function judgeKey(key: Jwk): Judgement {
  const isTaken = readPublicJwk(key) !== undefined
  if (key.d !== undefined || key.k !== undefined) return passedIf(!isTaken, 'a key that is secret was taken for a public one')
  return isTaken ? { kind: 'passed' } : leftOut('valid, and refused: its algorithm is not on our list')
}

function judgeSignature(name: string, { input, output = {} }: Example): [string, Judgement][] {
  const [given] = [input?.key ?? []].flat()
  const { d: _, ...key } = given ?? {}
  const publicKey = readPublicJwk(key)
  return Object.entries(output).flatMap(([form, jws]): [string, Judgement][] => {
    const id = `${name}, ${form}`
    if (typeof jws !== 'string')
      return [[id, leftOut('valid, and refused: tokens and proofs have the compact serialisation alone')]]
    const read = readJws(jws)
    const token = (): Judgement => {
      if (!publicKey) return leftOut('valid, and refused: its algorithm is not on our list')
      const isRead = read.ok && read.value.header.alg === algorithmOf(publicKey)
      return isRead ? { kind: 'passed' } : leftOut('valid, and refused: its payload is no JSON object, as claims are')
    }
    // Padding, another last character, nothing at all: one token has one spelling, and one signature.
    const altered = [`${jws}=`, jws.slice(0, -1), `${jws.slice(0, jws.lastIndexOf('.'))}.`, `${jws}.`, jws.replace('.', '..')]
    return [
      [`${id}, as a token`, token()],
      ...(publicKey
        ? [[`${id}, its signature`, passedIf(isSignedBy(publicKey, jws), 'refused a valid signature')] as [string, Judgement]]
        : []),
      ...altered.map((text, at): [string, Judgement] => [`${id}, altered ${at}`, passedIf(!isGood(text, publicKey), 'accepted')]),
    ]
  })
}

function isGood(text: string, key: ReturnType<typeof readPublicJwk>): boolean {
  const read = readJws(text)
  return read.ok && key !== undefined && isSignedBy(key, text)
}
