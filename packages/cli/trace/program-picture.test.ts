import { createHash } from 'node:crypto'
import type { DeviceEntry, Intent } from '@interlock/contracts'
import type { ProgramStore } from '@interlock/programs'
import { deviceEntry } from '@interlock/sdk/trust-domain'
import { canonicalBytes } from '@interlock/trust'
import { expect, it } from 'vitest'
import { pictureOf } from './program-picture.ts'

const mill = deviceEntry('mill-1', { attestationKey: 'AA', pcrs: [0], pcrDigest: 'A'.repeat(43) }, 0)
const program = Buffer.from('G21 G90 G94 G17\nG0 X0 Y0 Z10\nM3 S12000\nG1 X60 Y20 F800\nM5\nM30\n')

function intentOf(inline: Buffer | null, named: Buffer | null = program): Intent {
  const sha256 = named && createHash('sha256').update(named).digest('base64url')
  const command = {
    ...{ device: 'mill-1', capability: 'mill.run-program', parameters: {} },
    ...(named && { program: { mediaType: 'text/x-gcode', sha256, bytes: named.length } }),
  }
  const { device, capability } = command
  return { device, capability, command: canonicalBytes(command), program: inline } as Intent
}
const storeWith = (bytes: Buffer | undefined) => ({ get: async () => bytes }) as unknown as ProgramStore
const reasonOf = async (intent: Intent, device: DeviceEntry | undefined = mill, store?: ProgramStore) => {
  const drawn = await pictureOf(intent, device, store)
  return drawn.ok ? 'drawn' : drawn.reason
}

it('draws a program that came with its intent, and one that lies in the store', async () => {
  for (const drawn of [
    await pictureOf(intentOf(program), mill, undefined),
    await pictureOf(intentOf(null), mill, storeWith(program)),
  ])
    expect(drawn).toMatchObject({ ok: true, value: expect.stringMatching(/^<svg /) })
})

it('says why there is no picture', async () => {
  expect(await reasonOf(intentOf(null, null))).toBe('no-program')
  expect(await reasonOf(intentOf(null), mill, storeWith(undefined))).toBe('program-not-found')
  expect(await reasonOf(intentOf(program), deviceEntry('laser-1', mill.attestation as never, 0))).toBe('profile-unknown')
  expect(await reasonOf(intentOf(Buffer.from('G1 X1\n')))).toBe('program-mismatch')
})
