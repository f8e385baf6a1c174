import type { IntentId, OutcomeStatus, StageName } from '@interlock/contracts'

/** What must be seen of a case; anything else is an unexpected line and `npm run demo` exits with 1. */
export type Expectation = {
  /** None where a record was refused for where it lay: the intent of that name has its outcome elsewhere, if there is one. */
  readonly outcome: OutcomeStatus | 'none'
  /** How many Order records lie in `dispatch` for it. */
  readonly orders: number
  readonly refusal?: { readonly by: StageName | 'device'; readonly reason: string }
}

/** One line of the guided scenario. */
export type Case<World> = {
  readonly title: (world: World) => string
  readonly kind: 'honest' | 'attack' | 'policy'
  readonly expect: Expectation
  /** Does it, and says which intent to look at. */
  play(world: World): Promise<IntentId>
}
