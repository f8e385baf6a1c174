CREATE TABLE IF NOT EXISTS deadletters
(
  topic            LowCardinality(String) COMMENT 'Kafka topic that the record lay in' CODEC(ZSTD(1)),
  partition        UInt16 COMMENT 'Its partition' CODEC(T64, ZSTD(1)),
  offset           UInt64 COMMENT 'Its offset; (topic, partition, offset) is unique over this table and deadletters' CODEC(T64, ZSTD(1)),
  key              String COMMENT 'Key of the record, UTF-8' CODEC(ZSTD(1)),
  record_time      DateTime64(3, 'UTC') COMMENT 'Kafka timestamp: the writer\'s word, not signed' CODEC(Delta, ZSTD(1)),
  recorded_at      DateTime64(3, 'UTC') COMMENT 'When audit began the batch the row came in with; the same when the batch is replayed' CODEC(Delta, ZSTD(1)),
  in_place         Bool DEFAULT true COMMENT 'Whether it lies at the offset that it was decided for: an answer elsewhere (a zombie\'s) counts nowhere. True where no offset was named' CODEC(ZSTD(1)),
  event_id         String COMMENT 'consumer:topic:partition:offset of the unreadable record; one that audit found begins with audit' CODEC(ZSTD(1)),
  consumer         LowCardinality(String) COMMENT 'Service that could not read it' CODEC(ZSTD(1)),
  source_topic     LowCardinality(String) COMMENT 'Topic of the unreadable record' CODEC(ZSTD(1)),
  source_partition UInt16 COMMENT 'Its partition' CODEC(T64, ZSTD(1)),
  source_offset    UInt64 COMMENT 'Its offset' CODEC(T64, ZSTD(1)),
  reason           LowCardinality(String) COMMENT 'Reason code' CODEC(ZSTD(1)),
  detail           String COMMENT 'JSON or text: what was wrong' CODEC(ZSTD(1)),
  value_absent     Bool COMMENT 'The unreadable record had no value (a tombstone)' CODEC(ZSTD(1)),
  source_key       String COMMENT 'Key of the unreadable record, bytes' CODEC(ZSTD(1)),
  value            String COMMENT 'Value of the unreadable record, bytes' CODEC(ZSTD(3)),
  raw              String COMMENT 'Value of the record that audit read: a DeadLetter; empty where audit itself could not read it, value has those bytes' CODEC(ZSTD(3)),
  INDEX event_id_bloom event_id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toDate(recorded_at)
ORDER BY (toStartOfHour(recorded_at), source_topic, source_partition, source_offset, recorded_at)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Records that could not be read, byte for byte: what consumers reported (topic deadletters) and what audit itself could not read';
