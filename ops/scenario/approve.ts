import { answerRequest, pendingRequests } from '@interlock/cli'
import type { IntentId } from '@interlock/contracts'
import type { World } from './world.ts'

/** A human who reads what is asked, and says yes with a passkey. */
export async function approveAs(world: World, intentId: IntentId, human: string): Promise<void> {
  const asks = (steps: ReturnType<World['watch']['steps']>) => steps.flatMap((step) => (isAsking(step) ? [step.record] : []))
  const steps = await world.watch.until(intentId, (seen) => asks(seen).length > 0, waitMs)
  const passkey = world.passkeys.get(human)
  const request = pendingRequests(asks(steps), world.anchors, Date.now())[0]
  // Without a request there is nothing to answer; the scenario's line then shows what was seen instead.
  if (!passkey || !request) return
  const approval = answerRequest(request, 'ALLOW', passkey)
  await world.write('approvals', approval.jobId, approval)
}

type Step = ReturnType<World['watch']['steps']>[number]
const isAsking = (step: Step): step is Extract<Step, { kind: 'decision' }> =>
  step.kind === 'decision' && step.record.verdict === 'ESCALATE'

const waitMs = 30_000
