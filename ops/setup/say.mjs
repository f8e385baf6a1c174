/** What the set-up prints. Waits over a second are announced, then counted every ten seconds. */
import { spawn } from 'node:child_process'

export const say = (text) => console.log(`interlock: ${text}`)

/** Something that only the user can put right. `message` says what, `remedy` how. */
export class SetUpError extends Error {
  constructor(message, remedy) {
    super(`${message}\n  ${remedy}`)
    this.name = 'SetUpError'
  }
}

/** Waits for `work`, and says so when it takes over a second, every ten seconds, and at its end. */
export async function saying(what, work) {
  const began = Date.now()
  const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`
  let said = false
  const first = setTimeout(() => {
    said = true
    say(`${what} …`)
  }, 1000)
  const tick = setInterval(() => say(`${what}: ${seconds()}`), 10_000)
  try {
    const result = await work
    if (said) say(`${what}: done in ${seconds()}`)
    return result
  } finally {
    clearTimeout(first)
    clearInterval(tick)
  }
}

/** Runs a command. Its output is shown only where it fails. */
export function run(what, command, args, options = {}) {
  const work = new Promise((resolve, reject) => {
    const output = []
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => output.push(data))
    const failed = (text) => reject(new Error(`${what} failed: ${text}\n${Buffer.concat(output).toString().slice(-4000)}`))
    child.on('error', (error) => failed(error.message))
    child.on('close', (code, signal) =>
      code === 0 ? resolve(Buffer.concat(output).toString()) : failed(`${command} ended with ${code ?? signal}`),
    )
  })
  return saying(what, work)
}
