CREATE TABLE IF NOT EXISTS approvals
(
  topic            LowCardinality(String) COMMENT 'Kafka topic that the record lay in' CODEC(ZSTD(1)),
  partition        UInt16 COMMENT 'Its partition' CODEC(T64, ZSTD(1)),
  offset           UInt64 COMMENT 'Its offset; (topic, partition, offset) is unique over this table and deadletters' CODEC(T64, ZSTD(1)),
  key              String COMMENT 'Key of the record, UTF-8' CODEC(ZSTD(1)),
  record_time      DateTime64(3, 'UTC') COMMENT 'Kafka timestamp: the writer\'s word, not signed' CODEC(Delta, ZSTD(1)),
  recorded_at      DateTime64(3, 'UTC') COMMENT 'When audit began the batch the row came in with; the same when the batch is replayed' CODEC(Delta, ZSTD(1)),
  in_place         Bool DEFAULT true COMMENT 'Whether it lies at the offset that it was decided for: an answer elsewhere (a zombie\'s) counts nowhere. True where no offset was named' CODEC(ZSTD(1)),
  event_id         String COMMENT 'Position of the record, topic:partition:offset; it answers nothing' CODEC(ZSTD(1)),
  intent_id        String COMMENT 'Intent it is about' CODEC(ZSTD(1)),
  job_id           String COMMENT 'Job it is about: the correlation id everywhere' CODEC(ZSTD(1)),
  approval_id      String COMMENT 'Id of the answer' CODEC(ZSTD(1)),
  human            String COMMENT 'Who answers, as claimed' CODEC(ZSTD(1)),
  answer           LowCardinality(String) COMMENT 'ALLOW or DENY' CODEC(ZSTD(1)),
  request          String COMMENT 'RFC 8785 JSON that was shown and signed' CODEC(ZSTD(1)),
  credential_id    String COMMENT 'Passkey, base64url' CODEC(ZSTD(1)),
  raw              String COMMENT 'Value of the Kafka record byte for byte (Confluent frame and Avro), with the WebAuthn assertion' CODEC(ZSTD(3)),
  INDEX intent_id_bloom intent_id TYPE bloom_filter(0.01) GRANULARITY 4,
  INDEX job_id_bloom job_id TYPE bloom_filter(0.01) GRANULARITY 4,
  INDEX event_id_bloom event_id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toDate(recorded_at)
ORDER BY (toStartOfHour(recorded_at), job_id, intent_id, recorded_at)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Answers of humans to an ESCALATE, signed with their passkeys; approval-router\'s decision says whether they counted';
