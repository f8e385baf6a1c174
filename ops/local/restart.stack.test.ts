import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createClient } from '@clickhouse/client'
import { readTopology } from '@interlock/contracts'
import { fetchSchemaIds } from '@interlock/contracts/registry'
import kafkajs from 'kafkajs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { clickHouseUrl, type Stack } from './stack.ts'
import { startStack } from './start-stack.ts'

const program = (directory: string) => `
import { startStack } from '${new URL('start-stack.ts', import.meta.url).href}'
const stack = await startStack({ directory: '${directory}', log: () => {} })
console.log('stack ' + JSON.stringify(stack))
await new Promise(() => setInterval(() => {}, 1000))
`

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'interlock-restart-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

it('leaves nothing running when its parent is killed, and the next start has all data and other ports', async () => {
  const parent = spawn(process.execPath, ['--input-type=module', '--eval', program(directory)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string]
  const first = JSON.parse(line.replace('stack ', '')) as Stack
  const ids = await fetchSchemaIds(first.registry, readTopology())
  const offset = await writeIntent(first)
  await command(first, 'CREATE TABLE interlock.kept (value String) ENGINE = MergeTree ORDER BY value')
  await command(first, "INSERT INTO interlock.kept VALUES ('there')")

  const running = processesOf(directory)
  expect(running).toHaveLength(3)
  await expect(startStack({ directory, log: () => {} })).rejects.toThrow(`process ${parent.pid}`)
  parent.kill('SIGKILL')
  await once(parent, 'exit')
  // No more waiting, though the parts still run: a start right after a crash is what people do.
  const second = await startStack({ directory, log: () => {} })
  expect(processesOf(directory).filter((pid) => running.includes(pid))).toEqual([])
  expect(await fetchSchemaIds(second.registry, readTopology())).toEqual(ids)
  expect(await writeIntent(second)).toBe(offset + 1)
  expect(await valueKept(second)).toBe('there')
  await second.stop()
  expect(processesOf(directory)).toEqual([])
}, 120_000)

/** Ids of running processes of the three parts: the command of each names its data or its settings. */
function processesOf(folder: string): string[] {
  const { stdout } = spawnSync('ps', ['-ax', '-ww', '-o', 'pid=,args='], { encoding: 'utf8' })
  const lines = stdout.split('\n').filter((one) => one.includes(folder) && !one.includes('--eval'))
  return lines.map((one) => one.trim().split(' ')[0] ?? '')
}

async function writeIntent(stack: Stack): Promise<number> {
  const kafka = new kafkajs.Kafka({ brokers: [stack.kafka], logLevel: kafkajs.logLevel.NOTHING })
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  const [written] = await producer.send({ topic: 'intents', acks: -1, messages: [{ value: 'bytes', partition: 0 }] })
  await producer.disconnect()
  return Number(written?.baseOffset)
}

async function command(stack: Stack, query: string): Promise<void> {
  await using client = createClient({ url: clickHouseUrl(stack.clickhouse, 'admin') })
  await client.command({ query })
}

async function valueKept(stack: Stack): Promise<string> {
  await using client = createClient({ url: clickHouseUrl(stack.clickhouse, 'reader') })
  return (await (await client.query({ query: 'SELECT value FROM kept', format: 'TabSeparated' })).text()).trim()
}
