CREATE TABLE IF NOT EXISTS issued_tokens
(
  topic            LowCardinality(String) COMMENT 'Kafka topic that the record lay in' CODEC(ZSTD(1)),
  partition        UInt16 COMMENT 'Its partition' CODEC(T64, ZSTD(1)),
  offset           UInt64 COMMENT 'Its offset; (topic, partition, offset) is unique over this table and deadletters' CODEC(T64, ZSTD(1)),
  key              String COMMENT 'Key of the record, UTF-8' CODEC(ZSTD(1)),
  record_time      DateTime64(3, 'UTC') COMMENT 'Kafka timestamp: the writer\'s word, not signed' CODEC(Delta, ZSTD(1)),
  recorded_at      DateTime64(3, 'UTC') COMMENT 'When audit began the batch the row came in with; the same when the batch is replayed' CODEC(Delta, ZSTD(1)),
  in_place         Bool DEFAULT true COMMENT 'Whether it lies at the offset that it was decided for: an answer elsewhere (a zombie\'s) counts nowhere. True where no offset was named' CODEC(ZSTD(1)),
  event_id         String COMMENT 'Position of the record, topic:partition:offset; it answers nothing' CODEC(ZSTD(1)),
  token_id         String COMMENT 'jti of the token' CODEC(ZSTD(1)),
  issuer           String COMMENT 'iss: SPIFFE ID of the token service' CODEC(ZSTD(1)),
  job_id           String COMMENT 'Job it is for' CODEC(ZSTD(1)),
  human            String COMMENT 'Who authorised the job' CODEC(ZSTD(1)),
  agent            String COMMENT 'SPIFFE ID of its holder' CODEC(ZSTD(1)),
  certificate      String COMMENT 'x5t#S256 of the certificate that it is bound to' CODEC(ZSTD(1)),
  parent           String COMMENT 'Digest of the parent\'s signing input, base64url; empty for a root token' CODEC(ZSTD(1)),
  signing_input    String COMMENT 'header.payload of the token, without its signature: all claims, the human\'s consent included' CODEC(ZSTD(3)),
  issued_at        DateTime64(3, 'UTC') COMMENT 'When it was issued (iat)' CODEC(Delta, ZSTD(1)),
  expires_at       DateTime64(3, 'UTC') COMMENT 'When it ends (exp)' CODEC(Delta, ZSTD(1)),
  raw              String COMMENT 'Value of the Kafka record byte for byte (Confluent frame and Avro)' CODEC(ZSTD(3)),
  INDEX job_id_bloom job_id TYPE bloom_filter(0.01) GRANULARITY 4,
  INDEX token_id_bloom token_id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toDate(recorded_at)
ORDER BY (toStartOfHour(recorded_at), job_id, token_id, recorded_at)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Task tokens that the token service issued, recorded before they were handed out';
