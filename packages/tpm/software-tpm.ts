import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Makes a TPM's state in `directory`/state, as its manufacturer would: with endorsement and platform certificates of the CA. */
export async function manufactureSoftwareTpm(directory: string, caDirectory: string): Promise<void> {
  const file = (name: string): string => join(directory, name)
  await mkdir(file('state'))
  await mkdir(caDirectory, { recursive: true })
  await writeFile(
    file('setup.conf'),
    `create_certs_tool = swtpm_localca\ncreate_certs_tool_config = ${file('ca.conf')}\ncreate_certs_tool_options = ${file('ca.options')}\n`,
  )
  const caFiles = { statedir: '', signingkey: 'signkey.pem', issuercert: 'issuercert.pem', certserial: 'certserial' }
  const caLines = Object.entries(caFiles).map(([key, name]) => `${key} = ${join(caDirectory, name)}\n`)
  await writeFile(file('ca.conf'), caLines.join(''))
  await writeFile(file('ca.options'), '--platform-manufacturer Interlock\n--platform-version 1\n--platform-model Test\n')
  const user = process.getuid?.() === 0 ? ['--runas', 'root'] : []
  const state = ['--tpm2', '--tpmstate', file('state'), '--config', file('setup.conf'), '--pcr-banks', 'sha256']
  await run('swtpm_setup', [...user, ...state, '--create-ek-cert', '--create-platform-cert', '--lock-nvram'])
}

/** Arguments of `swtpm` for the state in `directory`/state. Its control port is the one after `port`, where tpm2-tools expect it. */
export function softwareTpmArguments(directory: string, port: number, host = '127.0.0.1'): string[] {
  const tcp = (at: number): string => `type=tcp,port=${at},bindaddr=${host}`
  const where = ['--tpmstate', `dir=${join(directory, 'state')}`, '--server', tcp(port), '--ctrl', tcp(port + 1)]
  return ['socket', '--tpm2', ...where, '--flags', 'not-need-init,startup-clear']
}
