import kafkajs, { type Admin } from 'kafkajs'
import type { TopicDeclaration, Topology } from './topics.ts'

/** One difference between topics.yaml and a broker. */
export type TopicChange =
  | { readonly kind: 'create'; readonly topic: string; readonly partitions: number }
  | { readonly kind: 'config'; readonly topic: string; readonly name: string; readonly from: string; readonly to: string }
  /** Cannot be made good by `apply`: keys would change their partition, and records of a job would lie in two. */
  | { readonly kind: 'partitions'; readonly topic: string; readonly from: number; readonly to: number }
  /** On the broker and not in the file; left alone. */
  | { readonly kind: 'unknown'; readonly topic: string }

export class TopicDriftError extends Error {
  readonly code = 'topic-partitions-differ'
  readonly retriable = false
}

/** What a topic's settings must be on the broker. */
export function topicConfig(topic: TopicDeclaration): ReadonlyMap<string, string> {
  const dayMs = 86_400_000
  return new Map([
    // The broker's own time: a sender cannot date a record so that retention or a restored memory passes over it (ATTACKS 114).
    ['message.timestamp.type', 'LogAppendTime'],
    ['max.message.bytes', String(topic.maxMessageBytes)],
    ...(topic.retention === 'compact'
      ? ([['cleanup.policy', 'compact']] as const)
      : ([
          ['cleanup.policy', 'delete'],
          ['retention.ms', String(Number.parseInt(topic.retention, 10) * dayMs)],
        ] as const)),
  ])
}

/** Where a broker differs from topics.yaml. Changes nothing. */
export async function planTopics(admin: Admin, topology: Topology): Promise<readonly TopicChange[]> {
  const present = new Map((await admin.fetchTopicMetadata()).topics.map(({ name, partitions }) => [name, partitions.length]))
  const declared = [...topology.topics.values()]
  const changes: TopicChange[] = []
  for (const { name, partitions } of declared) {
    const found = present.get(name)
    if (found === undefined) changes.push({ kind: 'create', topic: name, partitions })
    else if (found !== partitions) changes.push({ kind: 'partitions', topic: name, from: found, to: partitions })
  }
  changes.push(
    ...(await configChanges(
      admin,
      declared.filter(({ name }) => present.has(name)),
    )),
  )
  const unknown = [...present.keys()].filter((name) => !topology.topics.has(name) && !name.startsWith('__'))
  return [...changes, ...unknown.map((topic): TopicChange => ({ kind: 'unknown', topic }))]
}

/** Makes the broker the same. @throws TopicDriftError where a number of partitions differs, before anything is changed. */
export async function applyTopics(admin: Admin, topology: Topology): Promise<readonly TopicChange[]> {
  const changes = await planTopics(admin, topology)
  const drift = changes.filter((change) => change.kind === 'partitions')
  if (drift.length > 0) {
    const list = drift.map(({ topic, from, to }) => `${topic} has ${from}, topics.yaml says ${to}`).join('; ')
    throw new TopicDriftError(
      `Partitions differ: ${list}. Keys would move between partitions: make a new topic and move the records over.`,
    )
  }
  const create = changes.flatMap((change) =>
    change.kind === 'create' ? [topology.topics.get(change.topic) as TopicDeclaration] : [],
  )
  if (create.length > 0) {
    await admin.createTopics({
      waitForLeaders: true,
      topics: create.map((topic) => ({
        topic: topic.name,
        numPartitions: topic.partitions,
        replicationFactor: topology.replicationFactor,
        configEntries: [...topicConfig(topic)].map(([name, value]) => ({ name, value })),
      })),
    })
  }
  await alterConfigs(admin, topology, changes)
  return changes
}

async function configChanges(admin: Admin, topics: readonly TopicDeclaration[]): Promise<readonly TopicChange[]> {
  if (topics.length === 0) return []
  const resources = topics.map(({ name }) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name }))
  const described = await admin.describeConfigs({ includeSynonyms: false, resources })
  return described.resources.flatMap(({ resourceName, configEntries }) => {
    const found = new Map(configEntries.map(({ configName, configValue }) => [configName, configValue]))
    const wanted = topicConfig(topics.find(({ name }) => name === resourceName) as TopicDeclaration)
    return [...wanted].flatMap(([name, to]): TopicChange[] => {
      const from = found.get(name) ?? ''
      return from === to ? [] : [{ kind: 'config', topic: resourceName, name, from, to }]
    })
  })
}

/** A topic's settings are set as a whole: the protocol kafkajs speaks resets those that are not named. */
async function alterConfigs(admin: Admin, topology: Topology, changes: readonly TopicChange[]): Promise<void> {
  const names = new Set(changes.flatMap((change) => (change.kind === 'config' ? [change.topic] : [])))
  if (names.size === 0) return
  await admin.alterConfigs({
    validateOnly: false,
    resources: [...names].map((name) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name,
      configEntries: [...topicConfig(topology.topics.get(name) as TopicDeclaration)].map(([key, value]) => ({
        name: key,
        value,
      })),
    })),
  })
}
