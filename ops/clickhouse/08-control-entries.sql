CREATE TABLE IF NOT EXISTS control_entries
(
  topic            LowCardinality(String) COMMENT 'Kafka topic that the record lay in' CODEC(ZSTD(1)),
  partition        UInt16 COMMENT 'Its partition' CODEC(T64, ZSTD(1)),
  offset           UInt64 COMMENT 'Its offset; (topic, partition, offset) is unique over this table and deadletters' CODEC(T64, ZSTD(1)),
  key              String COMMENT 'Key of the record, UTF-8' CODEC(ZSTD(1)),
  record_time      DateTime64(3, 'UTC') COMMENT 'Kafka timestamp: the writer\'s word, not signed' CODEC(Delta, ZSTD(1)),
  recorded_at      DateTime64(3, 'UTC') COMMENT 'When audit began the batch the row came in with; the same when the batch is replayed' CODEC(Delta, ZSTD(1)),
  in_place         Bool DEFAULT true COMMENT 'Whether it lies at the offset that it was decided for: an answer elsewhere (a zombie\'s) counts nowhere. True where no offset was named' CODEC(ZSTD(1)),
  event_id         String COMMENT 'Position of the record, topic:partition:offset; it answers nothing' CODEC(ZSTD(1)),
  id               String COMMENT 'Id of the entry' CODEC(ZSTD(1)),
  revision         UInt64 COMMENT 'Grows with each change of the entry' CODEC(T64, ZSTD(1)),
  statement        String COMMENT 'RFC 8785 JSON of table, id, revision, updatedAt, value' CODEC(ZSTD(1)),
  key_id           String COMMENT 'x5t#S256 of the signer\'s certificate' CODEC(ZSTD(1)),
  signature        String COMMENT 'Signature over the statement, bytes' CODEC(NONE),
  raw              String COMMENT 'Value of the Kafka record byte for byte (Confluent frame and Avro)' CODEC(ZSTD(3)),
  INDEX id_bloom id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toDate(recorded_at)
ORDER BY (topic, id, revision, recorded_at)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Every revision of the control tables (agents, devices, policies, revocations, stops, federation), signed; topic names the table';
