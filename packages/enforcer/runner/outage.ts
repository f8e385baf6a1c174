/** What is outside of this process and may be away. */
export type Dependency = 'kafka' | 'registry' | 'clickhouse'

/** Whoever found it: one part of a process may have it back while another still waits. */
type Finder = object | string

/** Says once that something is away, and once that it is back for everybody: an hour's outage is two lines, not a log full of them. */
export class Outage {
  readonly #say: (event: 'away' | 'back', dependency: Dependency, error?: Error) => void
  readonly #away = new Map<Dependency, Set<Finder>>()

  constructor(say: (event: 'away' | 'back', dependency: Dependency, error?: Error) => void) {
    this.#say = say
  }

  away(dependency: Dependency, error: Error, finder: Finder = ''): void {
    const finders = this.#away.get(dependency)
    if (finders) {
      finders.add(finder)
      return
    }
    this.#away.set(dependency, new Set([finder]))
    this.#say('away', dependency, error)
  }

  back(dependency: Dependency, finder: Finder = ''): void {
    const finders = this.#away.get(dependency)
    if (!finders?.delete(finder) || finders.size > 0) return
    this.#away.delete(dependency)
    this.#say('back', dependency)
  }

  isAway(dependency: Dependency): boolean {
    return this.#away.has(dependency)
  }
}
