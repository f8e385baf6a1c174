import type { AgentHosts } from './agent-hosts.ts'
import { attacks } from './attacks.ts'
import { budgetRunsOut } from './budget.ts'
import type { Case } from './case.ts'
import { hardwareCases } from './hardware.ts'
import { honest } from './honest.ts'
import { leaver } from './leaver.ts'
import { policyPush } from './policy-push.ts'
import { bold, differences, dim, green, LiveLine, lineOf, red } from './report.ts'
import type { World } from './world.ts'

export type Played = {
  readonly title: string
  readonly kind: Case<World>['kind']
  readonly intentId: string
  readonly differences: readonly string[]
}

/** Everything of an intent has been seen when nothing is missing; then a moment more, for what must not come. */
const waitMs = 30_000
const settleMs = 400

/** Plays every case, one after the other, with one line for each that grows as the stages speak. */
export async function playScenario(
  world: World,
  hosts: AgentHosts,
  print: (text: string) => void,
  signal: AbortSignal,
): Promise<Played[]> {
  const hardware = hardwareCases(hosts)
  const groups = {
    'Honest jobs': [...honest, hardware.honest],
    Attacks: [...attacks, budgetRunsOut, leaver, hardware.attack],
    'A policy pushed live': policyPush,
  }
  const played: Played[] = []
  for (const [name, cases] of Object.entries(groups)) {
    print(bold(`\n${name}`))
    for (const one of cases) {
      if (signal.aborted) return played
      played.push(await play(world, one, played.length + 1, print))
    }
  }
  return played
}

async function play(world: World, one: Case<World>, number: number, print: (text: string) => void): Promise<Played> {
  const title = one.title(world)
  print(`${String(number).padStart(2)}  ${title}`)
  const live = new LiveLine()
  const begun = Date.now()
  const intentId = await one.play(world)
  const steps = await world.watch.until(
    intentId,
    (seen) => {
      live.show(`    ${lineOf(seen, begun)}`)
      return differences(one.expect, seen).length === 0
    },
    waitMs,
  )
  if (steps.length > 0) await new Promise((resolve) => setTimeout(resolve, settleMs))
  const found = differences(one.expect, world.watch.steps(intentId))
  live.end()
  print(`    ${lineOf(world.watch.steps(intentId), begun)}`)
  print(
    `    ${found.length === 0 ? green('as expected') : red(`NOT as expected: ${found.join('; ')}`)}  ${dim(`interlock trace ${intentId}`)}`,
  )
  return { title, kind: one.kind, intentId, differences: found }
}
