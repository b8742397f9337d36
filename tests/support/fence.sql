-- A write to any table of schema awa, or of another one in which queue storage is, by the login `lockkeeper` from a
-- backend that does not hold the maintenance lock raises an error, TRUNCATE and child tables included.
CREATE OR REPLACE FUNCTION public.fence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF session_user = 'lockkeeper' AND NOT EXISTS (
    SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 1096237407
      AND objid = 1296124238 AND objsubid = 1 AND granted AND pid = pg_backend_pid()) THEN
    RAISE EXCEPTION 'fence: % on % without the maintenance lock', TG_OP, TG_TABLE_NAME;
  END IF;
  RETURN NULL;
END $$;
DO $$
DECLARE item record;
BEGIN
  FOR item IN SELECT oid::regclass AS name FROM pg_class
              WHERE relkind IN ('r', 'p') AND (relnamespace = 'awa'::regnamespace OR relnamespace IN (
                  SELECT relnamespace FROM pg_class WHERE relname = 'lease_claim_batches')) LOOP
    EXECUTE format('CREATE OR REPLACE TRIGGER aaa_fence BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s '
                   'FOR EACH STATEMENT EXECUTE FUNCTION public.fence()', item.name);
  END LOOP;
END $$;
