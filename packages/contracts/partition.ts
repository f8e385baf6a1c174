/**
 * The partition of a key as Kafka's own partitioner has it (murmur2, positive, modulo; librdkafka calls it murmur2_random).
 * It is part of the contract: an intent outside its job's partition is refused.
 */
export function partitionOf(key: string, partitions: number): number {
  return (murmur2(Buffer.from(key, 'utf8')) & 0x7fffffff) % partitions
}

/** MurmurHash2, 32 bits, seed 0x9747b28c: org.apache.kafka.common.utils.Utils.murmur2. */
function murmur2(key: Buffer): number {
  const multiplier = 0x5bd1e995
  let hash = 0x9747b28c ^ key.length
  const whole = key.length & ~3
  for (let at = 0; at < whole; at += 4) {
    let word = Math.imul(key.readInt32LE(at), multiplier)
    word ^= word >>> 24
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier)
  }
  const rest = key.length - whole
  if (rest > 2) hash ^= (key[whole + 2] as number) << 16
  if (rest > 1) hash ^= (key[whole + 1] as number) << 8
  if (rest > 0) hash = Math.imul(hash ^ (key[whole] as number), multiplier)
  hash ^= hash >>> 13
  hash = Math.imul(hash, multiplier)
  return hash ^ (hash >>> 15)
}
