import { partitionOf } from '@interlock/contracts'

/** For kafkajs' `createPartitioner`. Set explicitly everywhere: an intent that does not lie in its job's partition is refused. */
export function murmur2Partitioner() {
  return ({
    message,
    partitionMetadata,
  }: {
    message: { key?: Buffer | string | null }
    partitionMetadata: readonly unknown[]
  }) => {
    if (!message.key) throw new Error('a record without a key has no partition: set the key')
    return partitionOf(message.key.toString(), partitionMetadata.length)
  }
}
