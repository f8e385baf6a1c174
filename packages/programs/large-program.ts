import type { Command, Intent, ProgramReference } from '@interlock/contracts'
import type { ProgramStore } from './program-store.ts'

/** Programs up to this many bytes travel inside the intent; the broker takes 1 MiB with everything else in it. */
export const inlineProgramBytesMax = 524_288

export type StoredProgramReason = 'program-not-found' | 'program-store-missing'

/** A program as an intent carries it: inline where it is small, by its digest where it is large and now kept. @throws ProgramStoreError */
export async function keepLargeProgram(
  program: { readonly mediaType: string; readonly bytes: Uint8Array },
  store: ProgramStore,
): Promise<{ readonly mediaType: string; readonly bytes: Uint8Array } | { readonly reference: ProgramReference }> {
  if (program.bytes.length <= inlineProgramBytesMax) return program
  return { reference: { mediaType: program.mediaType, ...(await store.put(program.bytes)) } }
}

/**
 * The program of a verified command, wherever it is: inline, where its digest was compared before, or in the store. `null` where the command
 * has none. @throws ProgramStoreError where the store does not say
 */
export async function programOf(
  { program: reference }: Pick<Command, 'program'>,
  { program: inline }: Pick<Intent, 'program'>,
  store: ProgramStore | undefined,
): Promise<{ readonly ok: true; readonly value: Buffer | null } | { readonly ok: false; readonly reason: StoredProgramReason }> {
  if (!reference || inline) return { ok: true, value: inline }
  if (!store) return { ok: false, reason: 'program-store-missing' }
  const bytes = await store.get(reference)
  return bytes ? { ok: true, value: bytes } : { ok: false, reason: 'program-not-found' }
}
