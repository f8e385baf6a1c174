-- What should have gone on and did not: an intent without identity-verify's decision, an ALLOW without the next stage's, an order without a
-- receipt. Between two times, so that what is still on its way is not in it. Empty where all is well.
WITH
  {since: DateTime64(3, 'UTC')} AS since,
  {until: DateTime64(3, 'UTC')} AS until,
  ['identity-verify', 'delegation-check', 'semantic-bounds', 'approval-router', 'device-dispatch'] AS stages
SELECT 'intent' AS kind, intent_id, job_id, '' AS stage, recorded_at
FROM intents
WHERE recorded_at BETWEEN since AND until
  AND concat('identity-verify:', topic, ':', toString(partition), ':', toString(offset)) NOT IN
    (SELECT event_id FROM decisions WHERE stage = 'identity-verify' AND in_place AND recorded_at >= since)
  AND intent_id NOT IN (SELECT intent_id FROM decisions WHERE stage = 'identity-verify' AND in_place AND recorded_at >= since)
UNION ALL
SELECT 'allow', intent_id, job_id, stage, recorded_at
FROM decisions
WHERE recorded_at BETWEEN since AND until AND verdict = 'ALLOW' AND in_place AND stage != 'device-dispatch'
  AND tuple(intent_id, stages[indexOf(stages, stage) + 1]) NOT IN (SELECT intent_id, stage FROM decisions WHERE in_place AND recorded_at >= since)
UNION ALL
SELECT 'order', intent_id, job_id, 'device-dispatch', recorded_at
FROM decisions
WHERE recorded_at BETWEEN since AND until AND verdict = 'ALLOW' AND in_place AND stage = 'device-dispatch'
  AND intent_id NOT IN (SELECT intent_id FROM orders WHERE recorded_at >= since)
