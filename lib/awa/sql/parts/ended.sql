-- parts/ended: the attempts of CTE open as arrays; began_at in microseconds since 1970, below zero for none, and is_last
-- -1 for lack of a ready row.
SELECT array_agg(o.job_id), array_agg(o.run_lease), array_agg(o.ready_slot), array_agg(o.ready_generation),
       array_agg(CASE WHEN isfinite(o.began_at) THEN (extract(epoch FROM o.began_at) * 1e6)::bigint
                 ELSE -1 END) AS attempted_at,
       array_agg(COALESCE(o.is_last, -1)::bigint) AS is_last
FROM open o
