/** What is outside of this process and may be away. */
export type Dependency = 'kafka' | 'registry' | 'clickhouse'

/** Says once that something is away, and once that it is back: an hour's outage is two lines, not a log full of them. */
export class Outage {
  readonly #say: (event: 'away' | 'back', dependency: Dependency, error?: Error) => void
  readonly #away = new Set<Dependency>()

  constructor(say: (event: 'away' | 'back', dependency: Dependency, error?: Error) => void) {
    this.#say = say
  }

  away(dependency: Dependency, error: Error): void {
    if (this.#away.has(dependency)) return
    this.#away.add(dependency)
    this.#say('away', dependency, error)
  }

  back(dependency: Dependency): void {
    if (this.#away.delete(dependency)) this.#say('back', dependency)
  }

  isAway(dependency: Dependency): boolean {
    return this.#away.has(dependency)
  }
}
