-- Orders of the last day whose time is over and of which no genuine ack is known: the machine may have moved, go and look.
SELECT intent_id, job_id, device, min(orders.decided_at) AS sent_at, max(orders.deadline) AS begin_by
FROM orders
WHERE recorded_at > now64(3) - INTERVAL 1 DAY AND deadline < now64(3)
  AND intent_id NOT IN
    (SELECT intent_id FROM receipts WHERE result = 'verified' AND in_place AND recorded_at > now64(3) - INTERVAL 1 DAY)
GROUP BY intent_id, job_id, device
ORDER BY sent_at
