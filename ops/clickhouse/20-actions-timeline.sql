-- One row a step of what an agent wanted done, whichever way it went: physical (intents and what became of them) now, digital actions
-- later as further members of the union. What does not lie in its place counts nowhere and is not here (docs/decisions/0004); of orders sent
-- again the one with the lowest offset counts.
-- Narrow it by job_id or intent_id, or by recorded_at: these reach the tables below it. Two steps may have the same millisecond: order by
-- time, step, offset.
CREATE OR REPLACE VIEW actions_timeline AS
SELECT
  counted.time AS time,
  job_id,
  intent_id,
  kind,
  counted.actor AS actor,
  counted.verdict AS verdict,
  counted.reasons AS reasons,
  counted.device AS device,
  counted.capability AS capability,
  if(counted.human = '', max(counted.human) OVER intent, counted.human) AS human,
  if(counted.agent = '', max(counted.agent) OVER intent, counted.agent) AS agent,
  if(counted.owner = '', max(counted.owner) OVER intent, counted.owner) AS owner,
  if(row_number() OVER steps = 1, 0, dateDiff('millisecond', lagInFrame(counted.time) OVER steps, counted.time)) AS took_ms,
  counted.detail AS detail,
  event_id,
  counted.step AS step,
  counted.topic AS topic,
  counted.partition AS partition,
  counted.offset AS offset,
  counted.recorded_at AS recorded_at
FROM
(
  SELECT
    job_id, intent_id, kind, event_id,
    argMin(
      tuple(time, actor, verdict, reasons, device, capability, human, agent, owner, detail, topic, partition, offset, recorded_at, step)
        :: Tuple(time DateTime64(3, 'UTC'), actor String, verdict String, reasons Array(String), device String, capability String, human String,
                 agent String, owner String, detail String, topic String, partition UInt16, offset UInt64, recorded_at DateTime64(3, 'UTC'), step UInt8),
      offset) AS counted
  FROM
  (
    SELECT job_id, intent_id, 'intent' AS kind, event_id, record_time AS time, agent AS actor, 'submitted' AS verdict,
      [] :: Array(String) AS reasons, device :: String AS device, capability :: String AS capability, human, agent, '' AS owner, command AS detail,
      topic :: String AS topic, partition, offset, recorded_at, 0 AS step
    FROM intents
    UNION ALL
    SELECT job_id, intent_id, 'decision', event_id, decided_at, stage, verdict, reasons :: Array(String), device, capability, human, agent, owner :: String, detail,
      topic, partition, offset, recorded_at,
      1 + indexOf(['identity-verify', 'delegation-check', 'semantic-bounds', 'approval-router', 'device-dispatch'], stage)
    FROM decisions WHERE in_place
    UNION ALL
    SELECT job_id, intent_id, 'approval', event_id, record_time, human, answer, [], '', '', '', '', '', '', topic, partition, offset, recorded_at, 4
    FROM approvals
    UNION ALL
    SELECT job_id, intent_id, 'order', event_id, decided_at, 'device-dispatch', 'sent', [], device, '', '', '', '', '', topic, partition, offset, recorded_at, 7
    FROM orders
    UNION ALL
    SELECT job_id, intent_id, 'ack', event_id, record_time, device, status, [], device, '', '', '', '', statement, topic, partition, offset, recorded_at, 8
    FROM acks
    UNION ALL
    SELECT job_id, intent_id, 'receipt', event_id, decided_at, 'device-dispatch', if(status = '', result, concat(result, ' ', status)),
      reasons :: Array(String), device, '', '', '', owner :: String, detail, topic, partition, offset, recorded_at, 9
    FROM receipts WHERE in_place
    UNION ALL
    SELECT job_id, intent_id, 'outcome', event_id, decided_at, stage, status, reasons :: Array(String), device, '', '', '', owner :: String, detail,
      topic, partition, offset, recorded_at, 10
    FROM outcomes WHERE in_place
  )
  GROUP BY job_id, intent_id, kind, event_id
)
WINDOW
  intent AS (PARTITION BY job_id, intent_id),
  steps AS (PARTITION BY job_id, intent_id ORDER BY counted.time, counted.step, counted.offset ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW);
