import { randomUUID } from 'node:crypto'
import registry from '@kafkajs/confluent-schema-registry'
import { beforeAll, describe, expect, it } from 'vitest'
import { stackForTests } from '../../test/stack.ts'
import { fetchSchemaIds, registerSchemas } from './registry.ts'
import { schemaVersions } from './schema-files.ts'
import { readTopology, type Topology } from './topics.ts'

type Field = { readonly name: string; readonly type: unknown; readonly default?: unknown }
type AvroRecord = { readonly fields: readonly Field[] }

describe('schemas in the registry', () => {
  let url: string
  beforeAll(async () => {
    url = (await stackForTests()).stack.registry
  })

  /** A topic of acks under a name of its own. */
  function topologyOf(name: string): Topology {
    const topology = readTopology()
    const acks = topology.topics.get('acks')
    if (!acks) throw new Error('topics.yaml has no acks')
    return { ...topology, topics: new Map([[name, { ...acks, name }]]) }
  }

  /** As if this had been the record's schema until today. */
  async function registerFirst(topic: string, change: (record: AvroRecord) => AvroRecord): Promise<void> {
    const schema = JSON.stringify(change(JSON.parse(schemaVersions('Ack').at(-1) ?? '') as AvroRecord))
    const client = new registry.SchemaRegistry({ host: url })
    const compatibility = registry.COMPATIBILITY.BACKWARD_TRANSITIVE
    await client.register({ type: registry.SchemaType.AVRO, schema }, { subject: `${topic}-value`, compatibility })
  }
  const withField = (field: Field) => (record: AvroRecord) => ({ ...record, fields: [...record.fields, field] })

  it('are registered once: the same schema keeps its id', async () => {
    const topic = `acks-${randomUUID()}`
    const ids = await registerSchemas(url, topologyOf(topic))
    expect(ids.get(topic)).toHaveLength(schemaVersions('Ack').length)
    expect(await registerSchemas(url, topologyOf(topic))).toEqual(ids)
    expect(await fetchSchemaIds(url, topologyOf(topic))).toEqual(ids)
  })

  it('may lose a field: who reads today can read what was written before', async () => {
    const topic = `acks-${randomUUID()}`
    await registerFirst(topic, withField({ name: 'formerly', type: 'string' }))
    expect((await registerSchemas(url, topologyOf(topic))).get(topic)).toHaveLength(schemaVersions('Ack').length)
  })

  it.each([
    ['a field without a default', (record: AvroRecord) => ({ ...record, fields: record.fields.slice(0, -1) })],
    [
      'a field of another type',
      (record: AvroRecord) => ({
        ...record,
        fields: record.fields.map((field, at) => (at ? field : { ...field, type: 'long' })),
      }),
    ],
  ])('are refused where they bring %s: what lies in the topic could not be read', async (_what, before) => {
    const topic = `acks-${randomUUID()}`
    await registerFirst(topic, before)
    await expect(registerSchemas(url, topologyOf(topic))).rejects.toMatchObject({
      code: 'schema-incompatible',
      retriable: false,
      message: expect.stringContaining(`${topic}-value`),
    })
  })

  it('that nobody registered are not invented by who only reads', async () => {
    await expect(fetchSchemaIds(url, topologyOf(`acks-${randomUUID()}`))).rejects.toMatchObject({
      code: 'schema-not-registered',
      message: expect.stringContaining('interlock topics apply'),
    })
  })

  it('are waited for where no registry answers', async () => {
    await expect(fetchSchemaIds('http://127.0.0.1:9', topologyOf('acks'))).rejects.toMatchObject({
      code: 'registry-unavailable',
      retriable: true,
    })
  })
})
