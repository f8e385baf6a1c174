-- What could not be read in the last day, by topic, who found it, and why: how often, and where the last one lies.
SELECT
  source_topic,
  consumer,
  reason,
  uniqExact(event_id) AS letters,
  argMax(tuple(source_partition, source_offset), recorded_at) AS last_place,
  max(recorded_at) AS last
FROM deadletters
WHERE recorded_at > now64(3) - INTERVAL 1 DAY
GROUP BY source_topic, consumer, reason
ORDER BY letters DESC, source_topic, consumer, reason
