import { accepted, type Result, refused } from '@interlock/contracts'
import type { StageContext, StageInput } from '@interlock/enforcer'
import { type ProgramStore, ProgramStoreError, programOf, type StoredProgramReason } from '@interlock/programs'

export type ProgramFetchReason = StoredProgramReason | 'program-store-unavailable'

/**
 * The input with its program where that lies in the store. What the capability would refuse by its name alone (unexpected, too large) is not fetched. A
 * store that is away is a refusal, which an orchestrator may ask again: waiting for it would hold up all jobs of the partition.
 */
export async function withProgram(
  input: StageInput,
  { tables }: Pick<StageContext<unknown>, 'tables'>,
  store: ProgramStore | undefined,
): Promise<Result<StageInput, ProgramFetchReason>> {
  const { command, intent } = input
  const capabilities = tables['control.devices'].get(command.device)?.capabilities ?? {}
  const wanted = Object.hasOwn(capabilities, command.capability) ? capabilities[command.capability]?.program : undefined
  if (!command.program || intent.program || !wanted || command.program.bytes > wanted.bytesMax) return accepted(input)
  try {
    const found = await programOf(command, intent, store)
    if (!found.ok) return refused(found.reason, { sha256: command.program.sha256 })
    return accepted({ ...input, intent: { ...intent, program: found.value } })
  } catch (error) {
    if (error instanceof ProgramStoreError && error.retriable)
      return refused('program-store-unavailable', { cause: error.message })
    throw error
  }
}
