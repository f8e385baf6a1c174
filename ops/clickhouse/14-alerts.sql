CREATE TABLE IF NOT EXISTS alerts
(
  topic            LowCardinality(String) COMMENT 'Kafka topic that the record lay in' CODEC(ZSTD(1)),
  partition        UInt16 COMMENT 'Its partition' CODEC(T64, ZSTD(1)),
  offset           UInt64 COMMENT 'Its offset; (topic, partition, offset) is unique over this table and deadletters' CODEC(T64, ZSTD(1)),
  key              String COMMENT 'Key of the record, UTF-8' CODEC(ZSTD(1)),
  record_time      DateTime64(3, 'UTC') COMMENT 'Kafka timestamp: the writer\'s word, not signed' CODEC(Delta, ZSTD(1)),
  recorded_at      DateTime64(3, 'UTC') COMMENT 'When audit began the batch the row came in with; the same when the batch is replayed' CODEC(Delta, ZSTD(1)),
  in_place         Bool DEFAULT true COMMENT 'Whether it lies at the offset that it was decided for: an answer elsewhere (a zombie\'s) counts nowhere. True where no offset was named' CODEC(ZSTD(1)),
  event_id         String COMMENT 'Position of the record, topic:partition:offset; it answers nothing' CODEC(ZSTD(1)),
  alert_id         String COMMENT 'uid of the finding: raised again it is the same, so count by this' CODEC(ZSTD(1)),
  rule             LowCardinality(String) COMMENT 'What was found, a code' CODEC(ZSTD(1)),
  severity         LowCardinality(String) COMMENT 'informational, low, medium, high or critical' CODEC(ZSTD(1)),
  source           LowCardinality(String) COMMENT 'Service that found it' CODEC(ZSTD(1)),
  job_id           String COMMENT 'Job concerned; empty where none is' CODEC(ZSTD(1)),
  subject          String COMMENT 'Whom or what it is about: SPIFFE ID, entry of a table, topic' CODEC(ZSTD(1)),
  message          String COMMENT 'In plain words' CODEC(ZSTD(1)),
  finding          String COMMENT 'OCSF 1.8.0 Detection Finding (class 2004), JSON' CODEC(ZSTD(3)),
  raised_at        DateTime64(3, 'UTC') COMMENT 'When it was found' CODEC(Delta, ZSTD(1)),
  raw              String COMMENT 'Value of the Kafka record byte for byte (Confluent frame and Avro)' CODEC(ZSTD(3)),
  INDEX subject_bloom subject TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toDate(recorded_at)
ORDER BY (toStartOfHour(recorded_at), rule, recorded_at)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What a human should look at: findings of the services, in OCSF';
