-- What became of one intent, step by step: who said what, why, and how long each took.
SELECT time, kind, actor, verdict, reasons, device, human, agent, took_ms, detail
FROM actions_timeline
WHERE intent_id = {intent_id: String}
ORDER BY time, step, offset
