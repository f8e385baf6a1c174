import type { Commit, Membership } from '../kafka-port.ts'

/**
 * Commits offsets beside the work, one request at a time, the newest offset of each partition. A commit that is late or lost
 * costs nothing but reading: what is answered is known from the answers.
 */
export class Commits {
  readonly #membership: Membership
  readonly #pause: () => Promise<void>
  #waiting = new Map<string, Commit>()
  #isRunning = false

  constructor(membership: Membership, pause: () => Promise<void>) {
    this.#membership = membership
    this.#pause = pause
  }

  add(commit: Commit): void {
    this.#waiting.set(`${commit.topic}:${commit.partition}`, commit)
    if (!this.#isRunning) void this.#run()
  }

  /** Commits what waits now. */
  async flush(): Promise<void> {
    const commits = [...this.#waiting.values()]
    this.#waiting = new Map()
    // The group may have gone on without us; whoever has the partition now commits.
    if (commits.length > 0) await this.#membership.commit(commits).catch(() => {})
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    while (this.#waiting.size > 0) {
      await this.#pause()
      await this.flush()
    }
    this.#isRunning = false
  }
}
