-- What was refused in the last hour, by stage and first reason: how often, of how many agents and jobs, and the last time.
SELECT
  stage,
  reasons[1] AS reason,
  uniqExact(event_id) AS denials,
  uniqExact(agent) AS agents,
  uniqExact(job_id) AS jobs,
  max(decided_at) AS last
FROM decisions
WHERE verdict = 'DENY' AND in_place AND recorded_at > now64(3) - INTERVAL 1 HOUR
GROUP BY stage, reason
ORDER BY denials DESC, stage, reason
