import type { DeviceEntry, Intent, ProgramReference } from '@interlock/contracts'
import type { StageContext, StageInput } from '@interlock/enforcer'
import { type ProgramStore, ProgramStoreError } from '@interlock/programs'
import { deviceEntry } from '@interlock/sdk/trust-domain'
import { expect, it } from 'vitest'
import { withProgram } from './stored-program.ts'

const bytes = Buffer.from('G0 X1\n')
const reference: ProgramReference = { mediaType: 'text/x-gcode', sha256: 'A'.repeat(43), bytes: bytes.length }
const tpm = { attestationKey: 'AA', pcrs: [0], pcrDigest: 'A'.repeat(43) }
const devices = new Map<string, DeviceEntry>(
  ['laser-1', 'mill-1'].map((device) => [device, deviceEntry(device, tpm, 0)] as const),
)
const context = { tables: { 'control.devices': devices } } as unknown as StageContext<unknown>

/** How often the store was asked, and what became of the input's program. */
async function fetched(
  change: { device?: string; capability?: string; bytes?: number; inline?: boolean },
  store?: Partial<ProgramStore>,
) {
  let asked = 0
  const counting: ProgramStore = {
    put: async () => reference,
    get: async (name) => {
      asked += 1
      return store?.get ? store.get(name) : bytes
    },
  }
  const { device = 'mill-1', capability = 'mill.run-program' } = change
  const command = { device, capability, parameters: {}, program: { ...reference, bytes: change.bytes ?? reference.bytes } }
  const input = { command, intent: { program: change.inline ? bytes : null } as Intent } as StageInput
  const found = await withProgram(input, context, store && counting)
  return { asked, found: found.ok ? found.value.intent.program : found.reason }
}

it('a program that lies in the store is judged as if it were in the intent', async () => {
  expect(await fetched({}, {})).toEqual({ asked: 1, found: bytes })
})

it('a program in the intent is not looked for', async () => {
  expect(await fetched({ inline: true }, {})).toEqual({ asked: 0, found: bytes })
})

it.each([
  ['too large for the machine', { bytes: 50_000_000 }],
  ['for a capability that takes none', { device: 'laser-1', capability: 'laser.cut' }],
  ['for a capability that is not there', { capability: 'mill.dance' }],
  ['for a device that is not there', { device: 'mill-9' }],
])('nothing is fetched that is %s: that is refused by its name', async (_what, change) => {
  expect(await fetched(change, {})).toEqual({ asked: 0, found: null })
})

it('nothing there, no store, and a store that is away are refusals of their own', async () => {
  expect((await fetched({}, { get: async () => undefined })).found).toBe('program-not-found')
  expect((await fetched({})).found).toBe('program-store-missing')
  const away = async () => Promise.reject(new ProgramStoreError('program-store-unavailable', 'away'))
  expect((await fetched({}, { get: away })).found).toBe('program-store-unavailable')
})
