import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'

const topicSchema = z.strictObject({
  record: z.string().regex(/^[A-Z][A-Za-z]+$/),
  key: z.enum(['job', 'device', 'id', 'none']),
  partitions: z.int().min(1).max(1000),
  retention: z.union([z.literal('compact'), z.string().regex(/^[1-9]\d{0,3}d$/)]),
  writers: z.array(z.string()).min(1),
  readers: z.array(z.string()).min(1),
  maxMessageBytes: z.int().min(1024).optional(),
})
const fileSchema = z.strictObject({
  defaults: z.strictObject({ replicationFactor: z.int().min(1), maxMessageBytes: z.int().min(1024) }),
  topics: z.record(z.string().regex(/^[a-z0-9.-]{1,200}$/), topicSchema),
})

export type TopicDeclaration = Omit<z.infer<typeof topicSchema>, 'maxMessageBytes'> & {
  readonly name: string
  readonly maxMessageBytes: number
}
export type Topology = { readonly replicationFactor: number; readonly topics: ReadonlyMap<string, TopicDeclaration> }

/** Parses topics.yaml. @throws Error naming the line's path where the file is wrong, or where job-keyed topics differ in partitions. */
export function parseTopology(text: string): Topology {
  const { defaults, topics } = fileSchema.parse(parse(text))
  const entries = Object.entries(topics).map(
    ([name, topic]) => [name, { ...topic, name, maxMessageBytes: topic.maxMessageBytes ?? defaults.maxMessageBytes }] as const,
  )
  const counts = new Set(entries.filter(([, topic]) => topic.key === 'job').map(([, topic]) => topic.partitions))
  if (counts.size > 1)
    throw new Error(`topics.yaml: all job-keyed topics need the same number of partitions, found ${[...counts].join(', ')}`)
  return { replicationFactor: defaults.replicationFactor, topics: new Map(entries) }
}

/** The topology of this project, from topics.yaml at its root. */
export function readTopology(path: URL = new URL('../../topics.yaml', import.meta.url)): Topology {
  return parseTopology(readFileSync(path, 'utf8'))
}
