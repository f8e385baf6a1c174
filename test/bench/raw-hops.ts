import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { partitionOf } from '@interlock/contracts'
import type { Sample } from './flow.ts'

/** Topics of the raw limit: as many hops as there are enforcers. */
export const rawTopics = Array.from({ length: 6 }, (_, index) => `bench.raw-${index}`)

/** Records of a size that say who they are in their first 36 bytes. */
export const rawSamples = {
  make: (count: number, bytes: number): Sample[] =>
    Array.from({ length: count }, () => {
      const id = randomUUID()
      return { id, key: id, partition: partitionOf(id, 6), value: Buffer.concat([Buffer.from(id), randomBytes(bytes - 36)]) }
    }),
  idOf: (value: Buffer): string => value.subarray(0, 36).toString('latin1'),
}

/** Starts a process for each hop; resolves when all have joined. */
export async function startRawHops(kafka: string): Promise<{ readonly stop: () => Promise<void> }> {
  const entry = new URL('./raw-hop.ts', import.meta.url).pathname
  const hops = rawTopics
    .slice(0, -1)
    .map((input, index) =>
      spawn(process.execPath, [entry, kafka, input, rawTopics[index + 1] as string], { stdio: ['pipe', 'pipe', 'inherit'] }),
    )
  await Promise.all(hops.map((hop) => new Promise((resolve) => hop.stdout?.once('data', resolve))))
  return { stop: async () => void (await Promise.all(hops.map(ended))) }
}

function ended(hop: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    hop.once('exit', () => resolve())
    hop.kill('SIGTERM')
  })
}
