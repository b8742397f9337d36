-- lanes/make_sequences: makes the two sequences of a lane, where they are missing.
-- $1 text: queue
-- $2 integer: priority
-- $3 integer: shard
SELECT :"schema".ensure_lane_sequences($1::text, $2::integer::smallint, $3::integer::smallint)
