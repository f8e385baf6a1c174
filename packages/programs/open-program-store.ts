import { readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { FolderStore } from './folder-store.ts'
import { type ProgramStore, ProgramStoreError } from './program-store.ts'
import { S3Store } from './s3-store.ts'

const credentialsSchema = z.strictObject({
  region: z.string().min(1),
  accessKeyId: z.string().min(1),
  secretAccessKey: z.string().min(1),
})

/**
 * The store that a setting names: `file:///folder`, or the https URL of a bucket (http on loopback only) with a JSON file of
 * {region, accessKeyId, secretAccessKey} that only its owner can read. @throws ProgramStoreError
 */
export function openProgramStore(url: string, credentialsFile?: string): ProgramStore {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol === 'file:') return new FolderStore(fileURLToPath(parsed))
  const isLoopback = parsed?.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(parsed.hostname)
  if (!parsed || (parsed.protocol !== 'https:' && !isLoopback) || parsed.username !== '' || parsed.search !== '')
    throw wrong(`${url}: file:///folder, or https://endpoint/bucket/prefix without user and query`)
  if (credentialsFile === undefined) throw wrong('a bucket needs the file of its credentials')
  return new S3Store({ url, ...readCredentials(credentialsFile) })
}

function readCredentials(file: string): z.infer<typeof credentialsSchema> {
  if ((statSync(file).mode & 0o077) !== 0) throw wrong(`${file} can be read by others: chmod 600`)
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    // Without the cause: it quotes what stands there.
    throw wrong(`${file} is no JSON`)
  }
  const read = credentialsSchema.safeParse(value)
  if (!read.success)
    throw wrong(`${file}: ${read.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; ')}`)
  return read.data
}

const wrong = (message: string) => new ProgramStoreError('program-store-settings', message)
