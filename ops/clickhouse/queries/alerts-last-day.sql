-- What the services found in the last day that a human should look at, the worst first: each finding once, however often it was raised.
SELECT
  alert_id,
  any(rule) AS rule,
  any(severity) AS severity,
  any(source) AS source,
  any(subject) AS subject,
  any(job_id) AS job_id,
  argMin(message, raised_at) AS message,
  min(raised_at) AS first_raised,
  count() AS raised
FROM alerts
WHERE recorded_at > now64(3) - INTERVAL 1 DAY
GROUP BY alert_id
ORDER BY indexOf(['critical', 'high', 'medium', 'low', 'informational'], severity), first_raised, alert_id
