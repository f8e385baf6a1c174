import { KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import 'reflect-metadata'
import type { DecisionPointPolicy } from '@interlock/contracts'
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HttpDecisionPoint } from './decision-point.ts'

const directory = mkdtempSync(join(tmpdir(), 'interlock-mtls-'))
const evaluation = { subject: { type: 'agent', id: 'a' }, resource: { type: 'device', id: 'd' }, action: { name: 'c' } }

/** Somebody with a certificate of their own making, for this machine: its file and its key's. */
async function party(name: string) {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const extensions = [new SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])]
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...{ serialNumber: '01', name: `CN=${name}`, signingAlgorithm: algorithm, keys, extensions },
    ...{ notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 600_000) },
  })
  const files = { certificate: join(directory, `${name}.pem`), key: join(directory, `${name}.key`) }
  writeFileSync(files.certificate, certificate.toString('pem'))
  const pem = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }) as string
  writeFileSync(files.key, pem, { mode: 0o600 })
  return { ...files, tls: { cert: certificate.toString('pem'), key: pem } }
}

let server: Server
let point: Awaited<ReturnType<typeof party>>
let stage: Awaited<ReturnType<typeof party>>
let stranger: Awaited<ReturnType<typeof party>>
let entry: DecisionPointPolicy
beforeAll(async () => {
  ;[point, stage, stranger] = [await party('point'), await party('stage'), await party('stranger')]
  const options = { ...point.tls, requestCert: true, rejectUnauthorized: true, ca: stage.tls.cert }
  server = createServer(options, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"decision":true}')
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/access/v1/evaluation`
  entry = { kind: 'decision-point', revision: '1', state: 'active', url, timeoutMs: 2000 }
})
afterAll(() => {
  server.close()
  rmSync(directory, { recursive: true })
})

async function askAs(credentials: ConstructorParameters<typeof HttpDecisionPoint>[0]) {
  const asking = new HttpDecisionPoint(credentials)
  const answer = await asking.ask(entry, evaluation, 'request-1')
  asking.close()
  return answer
}
const pairOf = ({ certificate, key }: typeof stage) => ({ certificate, key })

describe('an external decision point over mutual TLS', () => {
  it('is believed where both are who they should be', async () => {
    expect(await askAs({ ...pairOf(stage), roots: point.certificate })).toEqual({ ok: true, value: undefined })
  })

  it('is a no where it is somebody else, and where it does not know us', async () => {
    const no = { ok: false, reason: 'decision-point-unavailable' }
    expect(await askAs({ ...pairOf(stage), roots: stranger.certificate })).toMatchObject(no)
    expect(await askAs(pairOf(stage))).toMatchObject(no)
    expect(await askAs({ ...pairOf(stranger), roots: point.certificate })).toMatchObject(no)
    expect(await askAs({ roots: point.certificate })).toMatchObject(no)
  })
})
