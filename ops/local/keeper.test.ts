import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'

const processModule = new URL('process.ts', import.meta.url).href

/** Starts a child that has a child of its own and ignores SIGTERM, says both ids, and waits. */
const parentProgram = (logFile: string) => `
import { RunningProcess } from '${processModule}'
const child = new RunningProcess({
  name: 'child', command: 'sh', env: { PATH: process.env.PATH }, logFile: '${logFile}',
  args: ['-c', 'trap "" TERM; sleep 1000 & echo "grandchild $!"; wait; wait'],
})
await child.untilReady(() => child.output().includes('grandchild'), 10_000)
console.log([child.pid, /grandchild (\\d+)/.exec(child.output())[1]].join(' '))
await new Promise(() => setInterval(() => {}, 1000))
`

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'interlock-keeper-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

it.concurrent.each([
  'SIGKILL',
  'SIGTERM',
  'SIGINT',
] as const)('leaves no process behind when the parent dies by %s', async (signal) => {
  const program = parentProgram(join(directory, `${signal}.log`))
  const parent = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string]
  const children = line.split(' ').map(Number)
  expect(children.every(isRunning)).toBe(true)
  parent.kill(signal)
  const end = Date.now() + 20_000
  while (children.some(isRunning) && Date.now() < end) await wait(50)
  expect(children.filter(isRunning)).toEqual([])
}, 30_000)

/** A zombie has ended; whoever adopted it only has not asked yet. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
