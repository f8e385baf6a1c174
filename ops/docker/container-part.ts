import { type GenericContainer, getContainerRuntimeClient, type StartedTestContainer } from 'testcontainers'

/** A part of the stack in a container: killed and started again with its data and on its port. */
export class ContainerPart {
  readonly #definition: GenericContainer
  readonly #answers: () => Promise<boolean>
  #container: StartedTestContainer | undefined

  constructor(definition: GenericContainer, answers: () => Promise<boolean>) {
    this.#definition = definition
    this.#answers = answers
  }

  async start(): Promise<void> {
    if (this.#container) await (await this.#handle(this.#container)).start()
    else this.#container = await this.#definition.start()
    const end = Date.now() + 120_000
    while (!(await this.#answers())) {
      if (Date.now() > end) throw new Error(`container ${this.#container.getName()} does not answer after 120 s`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  async kill(): Promise<void> {
    if (this.#container) await (await this.#handle(this.#container)).kill()
  }

  async stop(): Promise<void> {
    await this.#container?.stop()
  }

  async #handle(container: StartedTestContainer) {
    return (await getContainerRuntimeClient()).container.getById(container.getId())
  }
}
