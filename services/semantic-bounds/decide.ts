import { firstOutside, type LimitReason, type Limits, type ParameterReason, readParameters } from '@interlock/bounds'
import type { DeviceEntry, Range } from '@interlock/contracts'
import {
  type BoundsObligations,
  type DelegationObligations,
  deny,
  type IdentityObligations,
  obligationsOf,
  type StageContext,
  type StageInput,
  type Verdict,
} from '@interlock/enforcer'
import { type BoundsPolicies, type PolicyReason, policyName } from '@interlock/policy'
import { checkProgram, type ProgramCheckReason, usesOfProgram } from './check-program.ts'
import { checkPace, checkState, checkWindows, type StateReason } from './check-state.ts'
import type { BoundsMemory } from './memory.ts'
import { type ReserveReason, reserve } from './reserve.ts'

export type BoundsReason =
  | ParameterReason
  | LimitReason
  | ProgramCheckReason
  | PolicyReason
  | ReserveReason
  | StateReason
  | 'statements-missing'
  | 'device-unknown'
  | 'capability-unknown'
  | 'grant-parameter-unknown'
  | 'outside-machine'
  | 'outside-grant'
  | 'policy-missing'
  | 'policy-older'
  | `policy-refuses-${string}`

/** Whether the command lies within machine ∩ grant ∩ policy ∩ state ∩ budgets, and what the program would really do. Pure: a policy's work is counted, not timed. */
export function decide(input: StageInput, context: StageContext<BoundsMemory>, policies: BoundsPolicies): Verdict<BoundsReason> {
  const { command, statements, intent } = input
  const { now, tables, memory } = context
  const identity = obligationsOf<IdentityObligations>(statements, 'identity-verify')
  const delegation = obligationsOf<DelegationObligations>(statements, 'delegation-check')
  const before = statements.at(-1)
  if (!identity || !delegation || !before) return deny('statements-missing')

  const device = tables['control.devices'].get(command.device)
  if (!device) return deny('device-unknown', { device: command.device })
  const capability = Object.hasOwn(device.capabilities, command.capability) ? device.capabilities[command.capability] : undefined
  if (!capability) return deny('capability-unknown', { capability: command.capability, known: Object.keys(device.capabilities) })

  const read = readParameters(command.parameters, capability.parameters)
  if (!read.ok) return deny(read.reason, read.detail)
  const quantities = read.value
  const stranger = Object.keys(delegation.grant.limits).find((name) => !isParameterOf(device, name))
  if (stranger !== undefined) return deny('grant-parameter-unknown', { parameter: stranger })
  const limits: Limits<'machine' | 'grant'>[] = [
    { limitOf: 'machine', ranges: machineLimits(capability.parameters) },
    { limitOf: 'grant', ranges: delegation.grant.limits },
  ]
  const outside = firstOutside(quantities, limits)
  if (!outside.ok) return deny(outside.reason, outside.detail)
  if (outside.value) return deny(`outside-${outside.value.limitOf}`, outside.value)

  const program = checkProgram(input, capability, quantities)
  if (!program.ok) return deny(program.reason, program.detail)
  const windows = checkWindows(delegation.grant.windows, now)
  if (!windows.ok) return deny(windows.reason, windows.detail)
  const about = { job: intent.jobId, device: command.device, capability: command.capability }
  const state = checkState(device, about, { now, memory: memory.jobs })
  if (!state.ok) return deny(state.reason, state.detail)
  const orderMs = device.orderValidityMs + device.completionMsMax
  const measured = { quantities, orderMs, program: usesOfProgram(program.value) }
  const reserved = reserve(capability, delegation, measured, { ledger: memory.jobs.budgets, now })
  if (!reserved.ok) return deny(reserved.reason, reserved.detail)
  const paced = checkPace(device, about.job, reserved.value.amounts, { now, memory: memory.jobs })
  if (!paced.ok) return deny(paced.reason, paced.detail)

  const policy = tables['control.policies'].get('bounds')
  if (policy?.kind !== 'bounds') return deny('policy-missing')
  const named = { policy: policyName(policy) }
  if (policy.sequence < memory.newestPolicy.sequence)
    return {
      ...deny<BoundsReason>('policy-older', { sequence: policy.sequence, newest: memory.newestPolicy.sequence }),
      ...named,
    }
  const answer = policies.ask(policy, {
    device: command.device,
    capability: command.capability,
    human: delegation.human,
    agent: identity.agent,
    job: intent.jobId,
    risk: capability.risk,
    quantities: Object.fromEntries(Object.entries(quantities).map(([name, { value }]) => [name, Number(value)])),
    choices: choicesOf(command.parameters),
    program: program.value ?? null,
  })
  if (!answer.ok) return { ...deny<BoundsReason>(answer.reason, answer.detail), ...named }
  const { refusals } = answer.value
  const [first] = refusals
  if (first !== undefined) return { ...deny<BoundsReason>(`policy-refuses-${first}`, { refusals, limitOf: 'policy' }), ...named }

  const risk = higherRisk(capability.risk, answer.value.risk)
  const { uses, spent } = reserved.value
  const obligations: BoundsObligations = { risk, quantities, about, uses, spent, pacedMs: paced.value }
  return { verdict: 'ALLOW', obligations, expiresAt: Math.min(before.expiresAt, windows.value), risk, ...named }
}

type Risk = BoundsObligations['risk']
const risks: readonly Risk[] = ['low', 'medium', 'high']

/** A policy may find more risk than the machine's maker did, never less: a risk taken away is an approval taken away. */
const higherRisk = (one: Risk, other: Risk): Risk => (risks.indexOf(one) > risks.indexOf(other) ? one : other)

type Parameters = DeviceEntry['capabilities'][string]['parameters']

const machineLimits = (parameters: Parameters): Record<string, Range> =>
  Object.fromEntries(
    Object.entries(parameters).flatMap(([name, parameter]) => (parameter.kind === 'quantity' ? [[name, parameter.limits]] : [])),
  )

/** A limit on a name that the device does not know would limit nothing: its author meant something that would go unchecked. */
const isParameterOf = ({ capabilities }: DeviceEntry, name: string) =>
  Object.values(capabilities).some(({ parameters }) => Object.hasOwn(parameters, name))

const choicesOf = (parameters: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(parameters).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
