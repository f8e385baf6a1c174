import registry from '@kafkajs/confluent-schema-registry'
import type { SchemaIds } from './codec.ts'
import type { RecordName } from './records.generated.ts'
import { schemaVersions } from './schema-files.ts'
import type { TopicDeclaration, Topology } from './topics.ts'

export class RegistryError extends Error {
  readonly code: 'registry-unavailable' | 'schema-incompatible' | 'schema-not-registered'
  readonly retriable: boolean
  constructor(code: RegistryError['code'], message: string, cause: unknown) {
    super(message, { cause })
    this.code = code
    this.retriable = code === 'registry-unavailable'
  }
}

/**
 * Registers the schema versions of every topic under `<topic>-value`, BACKWARD_TRANSITIVE: a reader of today can read all that
 * lies in the topic. Known schemas keep their ids. `url` is the registry's Confluent API (Apicurio: …/apis/ccompat/v7).
 * @throws RegistryError
 */
export async function registerSchemas(url: string, topology: Topology): Promise<SchemaIds> {
  const client = connect(url)
  return idsOf(topology, async (subject, schema) => {
    const { id } = await client.register(schema, { subject, compatibility: registry.COMPATIBILITY.BACKWARD_TRANSITIVE })
    return id
  })
}

/** The ids of the same schemas, for those who only read and write. Registers nothing. @throws RegistryError */
export async function fetchSchemaIds(url: string, topology: Topology): Promise<SchemaIds> {
  const client = connect(url)
  return idsOf(topology, (subject, schema) => client.getRegistryIdBySchema(subject, schema))
}

type Schema = { readonly type: registry.SchemaType.AVRO; readonly schema: string }

const connect = (url: string) => new registry.SchemaRegistry({ host: url, retry: { retries: 1 } })

async function idsOf(topology: Topology, idOf: (subject: string, schema: Schema) => Promise<number>): Promise<SchemaIds> {
  const topics = await Promise.all(
    [...topology.topics.values()].map(async (topic) => [topic.name, await topicIds(topic, idOf)] as const),
  )
  return new Map(topics)
}

/** One version after the other: each must be compatible with those before it. */
async function topicIds(topic: TopicDeclaration, idOf: (subject: string, schema: Schema) => Promise<number>): Promise<number[]> {
  const subject = `${topic.name}-value`
  const ids: number[] = []
  for (const schema of schemaVersions(topic.record as RecordName)) {
    const id = await idOf(subject, { type: registry.SchemaType.AVRO, schema }).catch((error: unknown) => {
      throw registryError(subject, topic.record, error)
    })
    ids.push(id)
  }
  return ids
}

function registryError(subject: string, record: string, error: unknown): unknown {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined
  const said = error instanceof Error ? error.message : String(error)
  if (status === 409) {
    const what = `schemas/${record}.avsc is not compatible with what ${subject} already holds (BACKWARD_TRANSITIVE): ${said}.`
    return new RegistryError(
      'schema-incompatible',
      `${what} Give new fields a default, and never remove, rename or retype one.`,
      error,
    )
  }
  // The client drops the status of this one answer.
  if (status === 404 || (error instanceof Error && error.name === 'ConfluentSchemaRegistryError')) {
    return new RegistryError(
      'schema-not-registered',
      `${subject} does not have this schema of ${record}: run \`interlock topics apply\`.`,
      error,
    )
  }
  if (status === undefined) return error
  return new RegistryError('registry-unavailable', `The schema registry does not answer for ${subject}: ${said}`, error)
}
