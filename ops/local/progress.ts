/** Takes one line for the user. */
export type Log = (line: string) => void

/** Waits for `work`; says so when it takes over a second, every ten seconds, and when it is done. */
export async function saying<Result>(log: Log, what: string, work: Promise<Result>): Promise<Result> {
  const began = Date.now()
  const seconds = () => ((Date.now() - began) / 1000).toFixed(1)
  let isSaid = false
  const first = setTimeout(() => {
    isSaid = true
    log(`${what} …`)
  }, 1000)
  const tick = setInterval(() => log(`${what}: ${seconds()} s`), 10_000)
  try {
    const result = await work
    if (isSaid) log(`${what}: there after ${seconds()} s`)
    return result
  } finally {
    clearTimeout(first)
    clearInterval(tick)
  }
}
