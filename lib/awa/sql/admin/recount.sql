-- admin/recount: lets Awa count some changed queues and kinds anew, and take their marks away.
-- $1 integer: the most queues, and the most kinds
SELECT awa.recompute_dirty_admin_metadata($1::integer) AS counted
