-- queue_stats/unshown_canonical: how many queues that are counted, described, or have a row of their own, have names too
-- long to be shown, and how the first of these names begins.
SELECT count(*) AS queues, min(left(q.queue, 60)) AS begins
FROM (SELECT s.queue FROM awa.queue_state_counts s WHERE length(s.queue) > 200
      UNION
      SELECT m.queue FROM awa.queue_meta m WHERE length(m.queue) > 200
      UNION
      SELECT d.queue FROM awa.queue_descriptors d WHERE length(d.queue) > 200) q
