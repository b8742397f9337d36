-- promotion/next_due: since when a job has been due and when the next will be, in both planes.
-- Microseconds, NULL for none; one row a plane and state. Paused queues of queue storage are not promoted.
-- $1 interval: how far back to look for due jobs; NULL for all the way
\ir next_due_alone.sql
UNION ALL
\ir ../canonical/next_due.sql
