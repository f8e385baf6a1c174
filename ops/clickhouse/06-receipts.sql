CREATE TABLE IF NOT EXISTS receipts
(
  topic            LowCardinality(String) COMMENT 'Kafka topic that the record lay in' CODEC(ZSTD(1)),
  partition        UInt16 COMMENT 'Its partition' CODEC(T64, ZSTD(1)),
  offset           UInt64 COMMENT 'Its offset; (topic, partition, offset) is unique over this table and deadletters' CODEC(T64, ZSTD(1)),
  key              String COMMENT 'Key of the record, UTF-8' CODEC(ZSTD(1)),
  record_time      DateTime64(3, 'UTC') COMMENT 'Kafka timestamp: the writer\'s word, not signed' CODEC(Delta, ZSTD(1)),
  recorded_at      DateTime64(3, 'UTC') COMMENT 'When audit began the batch the row came in with; the same when the batch is replayed' CODEC(Delta, ZSTD(1)),
  in_place         Bool DEFAULT true COMMENT 'Whether it lies at the offset that it was decided for: an answer elsewhere (a zombie\'s) counts nowhere. True where no offset was named' CODEC(ZSTD(1)),
  event_id         String COMMENT 'stage:topic:partition:offset of the input that it answers; a repeat has the same, the lowest offset counts' CODEC(ZSTD(1)),
  intent_id        String COMMENT 'Intent it is about' CODEC(ZSTD(1)),
  job_id           String COMMENT 'Job it is about: the correlation id everywhere' CODEC(ZSTD(1)),
  device           LowCardinality(String) COMMENT 'Device of the order' CODEC(ZSTD(1)),
  owner            LowCardinality(String) COMMENT 'The human who answers for the definition of the agent that asked; empty when unknown' CODEC(ZSTD(1)),
  result           LowCardinality(String) COMMENT 'verified, rejected or timed-out' CODEC(ZSTD(1)),
  status           LowCardinality(String) COMMENT 'accepted, completed, failed, refused as the device said; empty on a time-out' CODEC(ZSTD(1)),
  reasons          Array(LowCardinality(String)) COMMENT 'Why an ack was rejected or work failed' CODEC(ZSTD(1)),
  detail           String COMMENT 'JSON: what the reasons speak of' CODEC(ZSTD(1)),
  order_digest     String COMMENT 'base64url SHA-256 of device-dispatch\'s statement' CODEC(ZSTD(1)),
  measured         String COMMENT 'JSON: what the device says it did' CODEC(ZSTD(1)),
  tpm_clock_ms     UInt64 COMMENT 'Clock of the TPM, milliseconds' CODEC(T64, ZSTD(1)),
  tpm_reset_count  UInt64 COMMENT 'Resets of the TPM' CODEC(T64, ZSTD(1)),
  tpm_restart_count UInt64 COMMENT 'Restarts of the TPM' CODEC(T64, ZSTD(1)),
  tpm_safe         Bool COMMENT 'Whether no higher clock value can have been reported before' CODEC(ZSTD(1)),
  tpm_firmware     String COMMENT 'Firmware version, hex; empty where there was no ack' CODEC(ZSTD(1)),
  pcr_digest       String COMMENT 'Digest of the quoted PCRs, base64url; empty where there was no ack' CODEC(ZSTD(1)),
  decided_at       DateTime64(3, 'UTC') COMMENT 'When device-dispatch found it' CODEC(Delta, ZSTD(1)),
  raw              String COMMENT 'Value of the Kafka record byte for byte (Confluent frame and Avro), with the ack and the signed statement' CODEC(ZSTD(3)),
  INDEX intent_id_bloom intent_id TYPE bloom_filter(0.01) GRANULARITY 4,
  INDEX job_id_bloom job_id TYPE bloom_filter(0.01) GRANULARITY 4,
  INDEX event_id_bloom event_id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toDate(recorded_at)
ORDER BY (toStartOfHour(recorded_at), job_id, intent_id, recorded_at)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What device-dispatch found of an ack, or that none came in time';
