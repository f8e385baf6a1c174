import { createServer } from 'node:net'

/** Below the range from which systems take ports for outgoing connections, so that a part finds its port again after a kill. */
const first = 10_000
const count = 20_000
const taken = new Set<number>()

/** A free port on loopback, and never twice the same from one process. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = first + Math.floor(Math.random() * count)
    if (taken.has(port)) continue
    taken.add(port)
    if (await isFree(port)) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** Two in a row: a software TPM's control port is the one after its port. */
export async function freePortPair(): Promise<number> {
  for (;;) {
    const port = await freePort()
    if (taken.has(port + 1) || !(await isFree(port + 1))) continue
    taken.add(port + 1)
    return port
  }
}
