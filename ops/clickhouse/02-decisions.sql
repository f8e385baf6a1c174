CREATE TABLE IF NOT EXISTS decisions
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
  stage            LowCardinality(String) COMMENT 'Stage that decided' CODEC(ZSTD(1)),
  verdict          LowCardinality(String) COMMENT 'ALLOW, DENY or ESCALATE, as signed' CODEC(ZSTD(1)),
  reasons          Array(LowCardinality(String)) COMMENT 'Stable reason codes; empty for ALLOW' CODEC(ZSTD(1)),
  detail           String COMMENT 'JSON: what the reasons speak of (parameter, asked, nearest, limitOf)' CODEC(ZSTD(1)),
  human            String COMMENT 'For whom it is done; as claimed until delegation-check allowed it' CODEC(ZSTD(1)),
  agent            String COMMENT 'SPIFFE ID of who acts; as claimed until identity-verify allowed it' CODEC(ZSTD(1)),
  definition       String COMMENT 'Hash of the acting agent\'s definition; empty when unknown' CODEC(ZSTD(1)),
  owner            LowCardinality(String) COMMENT 'The human who answers for that definition; empty when unknown' CODEC(ZSTD(1)),
  device           LowCardinality(String) COMMENT 'Device asked' CODEC(ZSTD(1)),
  capability       LowCardinality(String) COMMENT 'Capability asked' CODEC(ZSTD(1)),
  risk             LowCardinality(String) COMMENT 'low, medium, high; empty where not yet judged' CODEC(ZSTD(1)),
  policy           LowCardinality(String) COMMENT 'Revision of the policy it was taken under; empty where none applies' CODEC(ZSTD(1)),
  command_digest   String COMMENT 'base64url SHA-256 of the command' CODEC(ZSTD(1)),
  decided_at       DateTime64(3, 'UTC') COMMENT 'When the stage decided' CODEC(Delta, ZSTD(1)),
  expires_at       DateTime64(3, 'UTC') COMMENT 'Until when an ALLOW counts' CODEC(Delta, ZSTD(1)),
  raw              String COMMENT 'Value of the Kafka record byte for byte (Confluent frame and Avro): the intent as submitted and all statements with their signatures' CODEC(ZSTD(3)),
  INDEX intent_id_bloom intent_id TYPE bloom_filter(0.01) GRANULARITY 4,
  INDEX job_id_bloom job_id TYPE bloom_filter(0.01) GRANULARITY 4,
  INDEX event_id_bloom event_id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toDate(recorded_at)
ORDER BY (toStartOfHour(recorded_at), job_id, intent_id, recorded_at)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Verdicts of the five stages. Flat columns are a copy for readers; what is signed lies in raw';
