-- lanes/act_as_owner: what this transaction makes shall belong to the role that the lanes belong to, and not to us, if we
-- may act as that role.
WITH
\ir ../parts/lanes_owner.sql
SELECT set_config('role', pg_get_userbyid(o.id), true) FROM owner o WHERE o.is_ours_to_be
