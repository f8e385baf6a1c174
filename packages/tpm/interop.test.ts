import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openAttestationKey } from './attestation-key.ts'
import { activateCredential } from './commands/activate-credential.ts'
import { createPrimary } from './commands/create-primary.ts'
import { evictControl } from './commands/evict-control.ts'
import { handle } from './commands/execute.ts'
import { pcrRead } from './commands/pcr-read.ts'
import { sized, u32 } from './structures/bytes.ts'
import { rsaEndorsement } from './templates.ts'
import { hasTpm2Tools, startTestTpm, type TestTpm } from './test-tpm.ts'
import type { TpmTransport } from './transport/transport.ts'
import { makeCredential } from './verifier/make-credential.ts'
import { pcrDigestOf } from './verifier/pcr-digest.ts'
import { verifyQuote } from './verifier/verify-quote.ts'
import { verifyTime } from './verifier/verify-time.ts'

if (!hasTpm2Tools) console.warn('SKIPPED: tpm2-tools is not here, so nothing is checked against it (apt-get install tpm2-tools)')

/** Only positive: Debian's tpm2_checkquote accepts a bad magic and a wrong selection (CVE-2024-29038, CVE-2024-29039). */
describe.skipIf(!hasTpm2Tools)('with tpm2-tools', () => {
  let tpm: TestTpm
  const file = (name: string): string => join(tpm.directory, name)
  const run = promisify(execFile)
  const pcrs = [0, 1, 7]
  const nonce = randomBytes(32)
  const attestationHandle = 0x8101_0100

  /** Every call flushes what the one before left: an emulator has no resource manager. */
  async function tool(name: string, ...args: string[]): Promise<void> {
    await (await tpm.open()).close()
    await run(name, args, { cwd: tpm.directory, env: { ...process.env, TPM2TOOLS_TCTI: tpm.tcti } })
  }

  async function withTransport<Value>(use: (transport: TpmTransport) => Promise<Value>): Promise<Value> {
    const transport = await tpm.open()
    try {
      return await use(transport)
    } finally {
      await transport.close()
    }
  }

  beforeAll(async () => {
    tpm = await startTestTpm()
    await withTransport(async (transport) =>
      evictControl(transport, (await openAttestationKey(transport)).handle, attestationHandle),
    )
    await tool('tpm2_readpublic', '-c', `0x${attestationHandle.toString(16)}`, '-o', 'ak.pem', '-f', 'pem', '-n', 'ak.name')
    // An attestation key as tpm2-tools make them, below the endorsement key.
    await tool('tpm2_createek', '-c', '0x81010101', '-G', 'rsa', '-u', 'ek.tss')
    await tool(
      'tpm2_createak',
      '-C',
      '0x81010101',
      '-c',
      'their.ctx',
      '-G',
      'ecc',
      '-g',
      'sha256',
      '-s',
      'ecdsa',
      '-u',
      'their.tss',
      '-n',
      'their.name',
    )
    await tool('tpm2_evictcontrol', '-c', 'their.ctx', '0x81010102')
  }, 60_000)
  afterAll(() => tpm?.stop())

  /** A TPM2B_PUBLIC file without its length. */
  const areaIn = async (name: string): Promise<Buffer> => (await readFile(file(name))).subarray(2)
  const theirs = async () => ({
    attestationKey: await areaIn('their.tss'),
    ancestors: [await areaIn('ek.tss')],
    expectedExtraData: nonce,
  })

  it('our quote passes tpm2_checkquote', async () => {
    const { quote, values } = await withTransport(async (transport) => {
      const key = await openAttestationKey(transport)
      return { quote: await key.quote({ qualifyingData: nonce, pcrs }), values: await pcrRead(transport, pcrs) }
    })
    await writeFile(file('q.attest'), quote.attest)
    await writeFile(file('q.sig'), quote.signature)
    await writeFile(file('q.pcrs'), Buffer.concat(pcrs.map((pcr) => values.get(pcr) ?? Buffer.alloc(0))))
    const nonceArgs = ['-q', nonce.toString('hex'), '-g', 'sha256']
    await run('tpm2_checkquote', ['-u', 'ak.pem', '-m', 'q.attest', '-s', 'q.sig', ...nonceArgs], { cwd: tpm.directory })
  })

  it('a quote of tpm2_quote passes our verifier, by our key and by theirs', async () => {
    const list = `sha256:${pcrs.join(',')}`
    const pcrDigest = pcrDigestOf(await withTransport((transport) => pcrRead(transport, pcrs)))
    const quoteWith = async (key: string) => {
      await tool(
        'tpm2_quote',
        '-c',
        key,
        '-l',
        list,
        '-q',
        nonce.toString('hex'),
        '-m',
        't.attest',
        '-s',
        't.sig',
        '-g',
        'sha256',
      )
      return {
        attest: await readFile(file('t.attest')),
        signature: await readFile(file('t.sig')),
        expectedExtraData: nonce,
        pcrs,
        pcrDigest,
      }
    }
    const ours = await withTransport(async (transport) => (await openAttestationKey(transport)).publicArea)
    const evidence = await quoteWith('0x81010100')
    expect(verifyQuote({ ...evidence, attestationKey: ours })).toMatchObject({ ok: true })
    expect(verifyQuote({ ...evidence, attestationKey: ours, pcrs: [0, 1] })).toMatchObject({ reason: 'pcr-selection' })

    const byTheirs = { ...(await quoteWith('0x81010102')), ...(await theirs()) }
    expect(verifyQuote(byTheirs)).toMatchObject({ ok: true })
    expect(verifyQuote({ ...byTheirs, ancestors: [] })).toMatchObject({ reason: 'qualified-signer' })
  })

  it('a time of tpm2_gettime passes our verifier', async () => {
    await tool(
      'tpm2_gettime',
      '-c',
      '0x81010102',
      '-q',
      nonce.toString('hex'),
      '-o',
      'g.sig',
      '--attestation',
      'g.attest',
      '-g',
      'sha256',
    )
    const evidence = { attest: await readFile(file('g.attest')), signature: await readFile(file('g.sig')), ...(await theirs()) }
    expect(verifyTime(evidence)).toMatchObject({ ok: true, value: { safe: true } })
  })

  /** The file format of tpm2_makecredential: magic, version, TPM2B_ID_OBJECT, TPM2B_ENCRYPTED_SECRET. */
  const credentialHeader = Buffer.concat([u32(0xbadc_c0de), u32(1)])

  it('our credential is opened by tpm2_activatecredential', async () => {
    const secret = randomBytes(32)
    const credential = makeCredential({
      endorsementKey: await areaIn('ek.tss'),
      name: await readFile(file('their.name')),
      secret,
    })
    if (!credential.ok) throw new Error(credential.reason)
    const parts = [credentialHeader, sized(credential.value.credentialBlob), sized(credential.value.encryptedSecret)]
    await writeFile(file('our.cred'), Buffer.concat(parts))
    await tool('tpm2_startauthsession', '--policy-session', '-S', 'session.ctx')
    await run('tpm2_policysecret', ['-S', 'session.ctx', '-c', 'e'], {
      cwd: tpm.directory,
      env: { ...process.env, TPM2TOOLS_TCTI: tpm.tcti },
    })
    const keys = ['-c', '0x81010102', '-C', '0x81010101', '-P', 'session:session.ctx']
    const args = [...keys, '-i', 'our.cred', '-o', 'our.secret']
    await run('tpm2_activatecredential', args, { cwd: tpm.directory, env: { ...process.env, TPM2TOOLS_TCTI: tpm.tcti } })
    expect(await readFile(file('our.secret'))).toEqual(secret)
  })

  it('a credential of tpm2_makecredential is opened by ours', async () => {
    const secret = randomBytes(32)
    await writeFile(file('secret'), secret)
    const name = (await readFile(file('ak.name'))).toString('hex')
    await run('tpm2_makecredential', ['-T', 'none', '-u', 'ek.tss', '-s', 'secret', '-n', name, '-o', 'their.cred'], {
      cwd: tpm.directory,
    })
    const bytes = (await readFile(file('their.cred'))).subarray(credentialHeader.length)
    const blobEnd = 2 + bytes.readUInt16BE(0)
    const credential = { credentialBlob: bytes.subarray(2, blobEnd), encryptedSecret: bytes.subarray(blobEnd + 2) }
    const opened = await withTransport(async (transport) => {
      const [key, endorsement] = [
        await openAttestationKey(transport),
        await createPrimary(transport, handle.endorsement, rsaEndorsement.publicArea),
      ]
      const request = {
        attestationKey: key.handle,
        endorsementKey: endorsement.handle,
        policy: rsaEndorsement.policy,
        credential,
      }
      return activateCredential(transport, request)
    })
    expect(opened).toEqual(secret)
  })
})
