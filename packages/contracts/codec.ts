import avro from 'avsc'
import { type Shape, shapeOf } from './avro-schema.ts'
import { type WalkReason, walk } from './bounded-walk.ts'
import { type FrameReason, readFrame, writeFrame } from './frame.ts'
import type { RecordName, Records } from './records.generated.ts'
import { accepted, type Result, refused } from './result.ts'
import { parseSchema, schemaVersions } from './schema-files.ts'
import type { TopicDeclaration, Topology } from './topics.ts'

export type DecodeReason = FrameReason | WalkReason | 'too-large' | 'schema-not-allowed' | 'avro-undecodable'

/**
 * Records from and to bytes: Confluent frame and Avro. Only the writer schemas pinned to a topic are read from it; a compatible
 * other schema of the registry could drop a field by its default. Pure: ids are an argument, no registry is asked.
 */
export type Codec = {
  /** `record` is what the caller takes the topic to hold. @throws Error where topics.yaml says otherwise. */
  decode<Name extends RecordName = RecordName>(topic: string, bytes: Buffer, record?: Name): Result<Records[Name], DecodeReason>
  encode(topic: string, record: Records[RecordName]): Buffer
}

/** Schema ids of a topic, one for each of `schemaVersions(record)`, oldest first. */
export type SchemaIds = ReadonlyMap<string, readonly number[]>

const limits = { depthMax: 16, itemsMax: 4096 }

export function createCodec({ topology, ids }: { readonly topology: Topology; readonly ids: SchemaIds }): Codec {
  const topics = new Map([...topology.topics.values()].map((topic) => [topic.name, topicCodec(topic, ids.get(topic.name))]))
  const of = (name: string) => topics.get(name) ?? missing(`topic ${name} is not in topics.yaml`)
  return {
    decode<Name extends RecordName>(topic: string, bytes: Buffer, record?: Name) {
      const codec = of(topic)
      if (record !== undefined && record !== codec.record) missing(`topic ${topic} holds ${codec.record}, not ${record}`)
      if (bytes.length > codec.bytesMax) return refused('too-large', { bytes: bytes.length, bytesMax: codec.bytesMax })
      return decode<Name>(codec, bytes)
    },
    encode(topic, record) {
      const codec = of(topic)
      return writeFrame(codec.writeId, codec.type.toBuffer(record))
    },
  }
}

type Reader = { readonly shape: Shape; readonly type: avro.Type; readonly resolver: avro.Resolver | undefined }
type TopicCodec = {
  readonly record: RecordName
  readonly bytesMax: number
  readonly type: avro.Type
  readonly writeId: number
  readonly readers: ReadonlyMap<number, Reader>
}

function topicCodec(topic: TopicDeclaration, ids: readonly number[] | undefined): TopicCodec {
  const record = topic.record as RecordName
  const versions = schemaVersions(record)
  const writeId = ids?.at(-1)
  if (ids === undefined || writeId === undefined || ids.length !== versions.length) {
    return missing(
      `${record} has ${versions.length} schema version(s) but ${ids?.length ?? 0} id(s): run \`interlock topics apply\``,
    )
  }
  const type = typeOf(versions.at(-1) as string)
  const readers = versions.map((text, index): [number, Reader] => {
    const isPresent = index === versions.length - 1
    return [
      ids[index] as number,
      { shape: shapeOf(parseSchema(text)), type, resolver: isPresent ? undefined : type.createResolver(typeOf(text)) },
    ]
  })
  return { record, bytesMax: topic.maxMessageBytes, type, writeId, readers: new Map(readers) }
}

const typeOf = (text: string) => avro.Type.forSchema(JSON.parse(text) as avro.Schema)

function decode<Name extends RecordName>(codec: TopicCodec, bytes: Buffer): Result<Records[Name], DecodeReason> {
  const frame = readFrame(bytes)
  if (!frame.ok) return frame
  const reader = codec.readers.get(frame.value.schemaId)
  if (!reader) return refused('schema-not-allowed', { schemaId: frame.value.schemaId, record: codec.record })
  const walked = walk(frame.value.body, reader.shape, limits)
  if (!walked.ok) return walked
  try {
    return accepted(reader.type.fromBuffer(frame.value.body, reader.resolver) as Records[Name])
  } catch (error) {
    // The walk admits nothing that the decoder refuses; if they ever differ, the decoder is believed.
    return refused('avro-undecodable', { error: error instanceof Error ? error.message : String(error) })
  }
}

function missing(what: string): never {
  throw new Error(`codec: ${what}`)
}
