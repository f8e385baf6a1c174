import { accepted, type Result, refused } from '@interlock/contracts'

/** Records a…b of one partition, both ends included. */
export type Range = { readonly topic: string; readonly partition: number; readonly first: number; readonly last: number }

/**
 * What is about to be inserted at once into one table: so many records of so many partitions. It is written down in the consumer
 * group's offsets before the insert; whoever comes after inserts exactly this again, whatever its own fetches would have cut.
 */
export type Batch = {
  /** When it was begun, milliseconds since 1970: `recorded_at` of its rows, so that a replay lands in the same ClickHouse partition. */
  readonly at: number
  /** In order of topic, then partition; none twice. */
  readonly ranges: readonly Range[]
}

/** `offset.metadata.max.bytes` of a broker is 4096 by default. */
export const intentBytesMax = 3800

/** The text that is committed as metadata: `i1 <at> <topic>:<partition>=<first>-<last>,…;<topic>:…`. */
export function writeIntent({ at, ranges }: Batch): string {
  const topics = Map.groupBy(ranges, ({ topic }) => topic)
  const texts = [...topics].map(
    ([topic, of]) => `${topic}:${of.map((range) => `${range.partition}=${range.first}-${range.last}`).join(',')}`,
  )
  return `i1 ${at} ${texts.join(';')}`
}

/** Tells ClickHouse which inserts are the same: equal for equal ranges, never equal otherwise. */
export const tokenOf = (batch: Batch) => `v1:${writeIntent(batch)}`

/** @throws nothing: metadata of another program, or of a later version, is `not-an-intent`. */
export function readIntent(text: string): Result<Batch, 'not-an-intent'> {
  const match = /^i1 (\d{1,15}) (\S+)$/.exec(text)
  const ranges = match?.[2]?.split(';').flatMap((group) => readTopic(group))
  if (!match || ranges === undefined || ranges.some((range) => range === undefined)) return refused('not-an-intent', { text })
  return accepted({ at: Number(match[1]), ranges: ranges as Range[] })
}

function readTopic(group: string): (Range | undefined)[] {
  const colon = group.lastIndexOf(':')
  const topic = group.slice(0, colon)
  if (colon < 1) return [undefined]
  return group
    .slice(colon + 1)
    .split(',')
    .map((text) => {
      const match = /^(\d{1,9})=(\d{1,15})-(\d{1,15})$/.exec(text)
      if (!match) return undefined
      const [partition, first, last] = match.slice(1).map(Number) as [number, number, number]
      return first <= last ? { topic, partition, first, last } : undefined
    })
}
