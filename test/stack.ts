import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Stack, startStack } from '@interlock/ops/local'
import { isHeld, readHolder } from '@interlock/ops/lock-holder'

/** Each test run has its own folder in it: runs of one clone do not meet. */
const runs = fileURLToPath(new URL('../.interlock/test/', import.meta.url))

export type TestStack = {
  readonly stack: Stack
  /** For the trust domain and the logs; the stack's own. */
  readonly directory: string
}

/** On the process: vitest may load this file again for the next test file. */
const here = process as NodeJS.Process & { interlockTestStack?: Promise<TestStack> }

/**
 * The stack that all `*.stack.test.ts` share: empty topics at first, then what tests before have left. It is started when the
 * first test asks, in the tests' own process, so that a test can kill its parts, and must start them again. It ends with the process.
 *
 * To stay apart from each other, tests take fresh job ids and intent ids, unique consumer groups, and ClickHouse databases
 * named `interlock_<something unique>`; they look for their own records and never count all. What must see only its own takes topics
 * under other names, or starts a stack for itself.
 */
export function stackForTests(): Promise<TestStack> {
  here.interlockTestStack ??= start()
  return here.interlockTestStack
}

async function start(): Promise<TestStack> {
  removeEarlierRuns()
  const directory = join(runs, String(process.pid))
  const log = (line: string) => console.error(`stack: ${line}`)
  const isDocker = process.env.INTERLOCK_STACK === 'docker'
  // Loaded only where asked for: it is what needs testcontainers.
  const { startDockerStack } = isDocker ? await import('@interlock/ops/docker') : {}
  return { stack: await (startDockerStack?.({ log }) ?? startStack({ directory, fresh: true, log })), directory }
}

function removeEarlierRuns(): void {
  mkdirSync(runs, { recursive: true })
  for (const name of readdirSync(runs)) {
    const holder = readHolder(join(runs, name, 'stack.lock'))
    if (!holder || !isHeld(holder)) rmSync(join(runs, name), { recursive: true, force: true })
  }
}
