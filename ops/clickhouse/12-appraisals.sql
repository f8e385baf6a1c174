CREATE TABLE IF NOT EXISTS appraisals
(
  topic            LowCardinality(String) COMMENT 'Kafka topic that the record lay in' CODEC(ZSTD(1)),
  partition        UInt16 COMMENT 'Its partition' CODEC(T64, ZSTD(1)),
  offset           UInt64 COMMENT 'Its offset; (topic, partition, offset) is unique over this table and deadletters' CODEC(T64, ZSTD(1)),
  key              String COMMENT 'Key of the record, UTF-8' CODEC(ZSTD(1)),
  record_time      DateTime64(3, 'UTC') COMMENT 'Kafka timestamp: the writer\'s word, not signed' CODEC(Delta, ZSTD(1)),
  recorded_at      DateTime64(3, 'UTC') COMMENT 'When audit began the batch the row came in with; the same when the batch is replayed' CODEC(Delta, ZSTD(1)),
  in_place         Bool DEFAULT true COMMENT 'Whether it lies at the offset that it was decided for: an answer elsewhere (a zombie\'s) counts nowhere. True where no offset was named' CODEC(ZSTD(1)),
  event_id         String COMMENT 'Position of the record, topic:partition:offset; it answers nothing' CODEC(ZSTD(1)),
  subject          String COMMENT 'SPIFFE ID of the agent\'s instance or the device' CODEC(ZSTD(1)),
  status           LowCardinality(String) COMMENT 'affirming or contraindicated' CODEC(ZSTD(1)),
  reason           LowCardinality(String) COMMENT 'Why not, a reason code; empty where affirming' CODEC(ZSTD(1)),
  certificate      String COMMENT 'x5t#S256 of the certificate issued for it; empty where none was' CODEC(ZSTD(1)),
  result           String COMMENT 'Signed attestation result (EAR), compact JWS; empty where contraindicated' CODEC(ZSTD(3)),
  appraised_at     DateTime64(3, 'UTC') COMMENT 'When the evidence was appraised' CODEC(Delta, ZSTD(1)),
  raw              String COMMENT 'Value of the Kafka record byte for byte (Confluent frame and Avro)' CODEC(ZSTD(3)),
  INDEX subject_bloom subject TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toDate(recorded_at)
ORDER BY (toStartOfHour(recorded_at), subject, recorded_at)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What the registry found of the platforms under agents and devices, recorded before anything was issued for them';
