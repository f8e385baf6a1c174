import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { clickHousePart } from './clickhouse.ts'
import { kafkaPart } from './kafka.ts'
import { lock } from './lock.ts'
import { prepareStack } from './prepare.ts'
import { type Log, saying } from './progress.ts'
import { registryPart } from './registry.ts'
import type { Stack } from './stack.ts'

export type StackRequest = {
  /** Data, logs and the lock lie here. */
  readonly directory: string
  /** Begins without the data of earlier starts. */
  readonly fresh?: boolean
  readonly log: Log
}

export const lockFile = 'stack.lock'

/**
 * Starts broker, schema registry and ClickHouse on free ports of loopback, with the topics, schemas and tables of this repository.
 * @throws StackRunningError, SetUpMissingError, ProcessError
 */
export async function startStack(request: StackRequest): Promise<Stack> {
  const directory = resolve(request.directory)
  const unlock = await lock(join(directory, lockFile))
  const data = (name: string) => join(directory, name)
  const logFile = (name: string) => join(directory, 'logs', `${name}.log`)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  if (request.fresh) for (const name of ['kafka', 'registry', 'clickhouse']) rmSync(data(name), { recursive: true, force: true })

  const kafka = await kafkaPart(data('kafka'), logFile('kafka'))
  const registry = await registryPart(data('registry'), logFile('registry'))
  const clickhouse = await clickHousePart(data('clickhouse'), logFile('clickhouse'))
  // The broker last: registry and ClickHouse need nothing of it, and services that still write want it.
  const inStopOrder = [clickhouse.part, registry.part, kafka.part]
  const stop = async () => {
    for (const part of inStopOrder) await part.stop()
    unlock()
  }
  try {
    const starts = await Promise.allSettled([
      saying(request.log, 'Kafka', kafka.part.start()),
      saying(request.log, 'the schema registry', registry.part.start()),
      saying(request.log, 'ClickHouse', clickhouse.part.start()),
    ])
    const failed = starts.find((start) => start.status === 'rejected')
    if (failed) throw failed.reason
    const addresses = { kafka: kafka.address, registry: registry.url, clickhouse: clickhouse.clickhouse }
    await saying(request.log, 'topics, schemas and tables', prepareStack(addresses))
    return {
      ...addresses,
      stop,
      killBroker: () => kafka.part.kill(),
      startBroker: () => kafka.part.start(),
      killRegistry: () => registry.part.kill(),
      startRegistry: () => registry.part.start(),
      killClickHouse: () => clickhouse.part.kill(),
      startClickHouse: () => clickhouse.part.start(),
    }
  } catch (error) {
    await stop()
    throw error
  }
}
