-- queue_stats/unshown: how many queues with a lane, or a row of their own, have names too long to be shown, and how the
-- first of these names begins.
SELECT count(*) AS queues, min(left(q.queue, 60)) AS begins
FROM (SELECT h.queue FROM :"schema".queue_enqueue_heads h WHERE length(h.queue) > 200
      UNION
      SELECT m.queue FROM awa.queue_meta m WHERE length(m.queue) > 200) q
