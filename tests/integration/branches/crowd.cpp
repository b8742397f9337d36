// SPDX-License-Identifier: Apache-2.0
#include "integration/branches/crowd.hpp"

#include <stdexcept>
#include <string_view>

namespace lockkeeper::test {
namespace {

// A worker takes the key of an attempt first, and looks only then.
constexpr auto kFunctions = R"(
CREATE FUNCTION public.worker_has(job bigint, lease bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(format('awa.receipt.complete:%s:%s', job, lease), 0));
  PERFORM FROM public.live_receipt r WHERE r.job_id = job AND r.run_lease = lease AND r.closures = 0;
  RETURN FOUND;
END $$;

CREATE FUNCTION public.worker_exits(job bigint, lease bigint, retries boolean) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE r record; e record; had boolean; has boolean;
BEGIN
  IF NOT public.worker_has(job, lease) THEN RETURN; END IF;
  SELECT * INTO r FROM public.live_receipt x WHERE x.job_id = job AND x.run_lease = lease;
  SELECT * INTO e FROM awa.ready_entries x WHERE x.ready_slot = r.ready_slot AND x.queue = r.queue
      AND x.lane_seq = r.lane_seq AND x.enqueue_shard = r.enqueue_shard AND x.job_id = job
      AND x.run_lease + 1 = lease;
  IF NOT FOUND THEN RETURN; END IF;
  had := substr(e.unique_states, 3, 1) = '1';
  has := substr(e.unique_states, CASE WHEN retries THEN 5 ELSE 4 END, 1) = '1';
  IF had AND NOT has THEN
    DELETE FROM awa.job_unique_claims WHERE unique_key = e.unique_key AND job_id = job;
  ELSIF has AND NOT had THEN
    INSERT INTO awa.job_unique_claims (unique_key, job_id) VALUES (e.unique_key, job);
  END IF;
  DELETE FROM awa.leases WHERE job_id = job AND run_lease = lease;
  DELETE FROM awa.attempt_state WHERE job_id = job AND run_lease = lease;
  INSERT INTO awa.lease_claim_closure_batches (claim_slot, ready_slot, ready_generation, outcome,
      closed_count, receipt_ids, receipt_ranges)
  VALUES (r.claim_slot, r.ready_slot, r.ready_generation, CASE WHEN retries THEN 'retryable' ELSE 'completed'
      END, 1, ARRAY[r.receipt_id], int8multirange(int8range(r.receipt_id, r.receipt_id, '[]')));
  IF retries THEN
    INSERT INTO awa.deferred_jobs (job_id, kind, queue, args, state, priority, attempt, run_lease,
        max_attempts, run_at, attempted_at, finalized_at, created_at, unique_key, unique_states, payload)
    VALUES (job, e.kind, e.queue, e.args, 'retryable', e.priority, r.attempt, lease, e.max_attempts,
        clock_timestamp(), r.claimed_at, clock_timestamp(), e.created_at, e.unique_key, e.unique_states,
        e.payload);
  ELSE
    INSERT INTO awa.receipt_completion_batches (ready_slot, ready_generation, claim_slot, queue, priority,
        enqueue_shard, completed_count, job_ids, run_leases, lane_seqs, attempts, attempted_ats)
    VALUES (r.ready_slot, r.ready_generation, r.claim_slot, r.queue, e.priority, r.enqueue_shard, 1, ARRAY[job],
        ARRAY[lease], ARRAY[r.lane_seq], ARRAY[r.attempt], ARRAY[r.claimed_at]);
  END IF;
END $$;

CREATE FUNCTION public.worker_beats(job bigint, lease bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF NOT public.worker_has(job, lease) THEN RETURN; END IF;
  INSERT INTO awa.attempt_state (job_id, run_lease, heartbeat_at) VALUES (job, lease, clock_timestamp())
  ON CONFLICT (job_id, run_lease) DO UPDATE SET heartbeat_at = clock_timestamp(),
      progress = '{"percent": 5}';
END $$;

CREATE FUNCTION public.worker_needs_lease(job bigint, lease bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF NOT public.worker_has(job, lease) THEN RETURN; END IF;
  PERFORM FROM awa.lease_claims WHERE job_id = job AND run_lease = lease FOR UPDATE;
  PERFORM FROM awa.lease_claim_batches WHERE job = ANY (job_ids) FOR UPDATE;
  IF EXISTS (SELECT FROM awa.leases WHERE job_id = job AND run_lease = lease) THEN RETURN; END IF;
  INSERT INTO awa.leases (lease_slot, lease_generation, ready_slot, ready_generation, job_id, queue,
      priority, attempt, run_lease, max_attempts, lane_seq, enqueue_shard, heartbeat_at, attempted_at)
  SELECT 0, 0, ready_slot, ready_generation, job_id, queue, priority, attempt, run_lease, max_attempts,
         lane_seq, enqueue_shard, clock_timestamp(), claimed_at
  FROM public.live_receipt r WHERE r.job_id = job AND r.run_lease = lease AND r.closures = 0;
END $$;

-- Claims, gives up the keys that a running job does not claim, and moves the cursor past what was
-- claimed, which is a worker's second step.
CREATE FUNCTION public.worker_claims(queue_name text, most bigint, deadline float8) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE lane record; sequence text; last bigint := 0;
BEGIN
  FOR lane IN SELECT * FROM awa.claim_ready_runtime(queue_name, most, deadline, 0) LOOP
    IF substr(lane.unique_states, 3, 1) = '0' THEN
      DELETE FROM awa.job_unique_claims WHERE unique_key = lane.unique_key AND job_id = lane.job_id;
    END IF;
    last := greatest(last, lane.lane_seq);
    SELECT h.seq_name INTO sequence FROM awa.queue_claim_heads h WHERE h.queue = queue_name
        AND h.priority = lane.lane_priority AND h.enqueue_shard = lane.enqueue_shard;
  END LOOP;
  IF last > 0 THEN PERFORM awa.set_sequence_next(sequence, last + 1); END IF;
END $$;
)";

constexpr auto kHour = "interval '1 hour'";

// Nobody waits for a lock that the leader holds: it goes on only when the crowd has acted.
constexpr auto kSoon = "SET ROLE awa_owner; SET lock_timeout = '20ms'; SET jit = off";

// Empty if it is refused; nonsense, or what there is no right to, is thrown.
std::optional<std::vector<Row>> unless_refused(const Session& session, const std::string& text) {
  try {
    return session.sql(text);
  } catch (const std::runtime_error& refusal) {
    if (std::string_view(refusal.what()).substr(0, 2) == "42") throw;
    return std::nullopt;
  }
}

}  // namespace

Crowd::Crowd(const Database& database, std::uint64_t seed)
    : database_(database), session_(database.session()), random_(seed) {
  database_.sql(kFunctions);
  database_.sql(
      "INSERT INTO awa.queue_meta (queue, paused, enqueue_shards) VALUES ('queue1', false, 3)");
  database_.sql("GRANT SELECT ON public.live_receipt TO awa_owner");
  session_.sql(kSoon);
}

std::int64_t Crowd::pick(std::int64_t from, std::int64_t to) {
  return std::uniform_int_distribution<std::int64_t>(from, to)(random_);
}

std::vector<Row> Crowd::attempt(const std::string& text) const {
  auto rows = unless_refused(session_, text);
  return rows ? *rows : session_.sql("ROLLBACK");
}

std::string Crowd::act() {
  using Deed = std::string (Crowd::*)();
  constexpr Deed kDeeds[] = {&Crowd::produce, &Crowd::produce, &Crowd::produce_canonical,
                             &Crowd::claim,   &Crowd::claim,   &Crowd::exit,
                             &Crowd::exit,    &Crowd::beat,    &Crowd::materialise,
                             &Crowd::die,     &Crowd::die,     &Crowd::operate,
                             &Crowd::rotate,  &Crowd::hold};
  return (this->*kDeeds[pick(0, std::size(kDeeds) - 1)])();
}

// One key for many, and masks that claim it in different states. A canonical job that claims its
// key even as cancelled can be stuck for good.
std::string Crowd::unique(char plane) {
  constexpr const char* kMasks[] = {"11111000", "01100000", "11001000", "01000000", "11001010"};
  if (pick(1, 3) > 1) return "NULL, NULL";
  return std::string("'") + plane + std::to_string(pick(1, 4)) + "'::bytea, B'" +
         kMasks[pick(0, plane == 'c' ? 3 : 4)] + "'";
}

std::string Crowd::produce() {
  const bool is_scheduled = pick(1, 2) == 1;
  for (auto jobs = pick(1, 12); jobs > 0; --jobs) {
    attempt("SELECT awa.insert_job_compat('kind', '" + queue() + "', '{}', " +
            (is_scheduled ? "'scheduled'" : "'available'") + ", " + std::to_string(pick(1, 4)) +
            "::smallint, 25::smallint, now() - interval '1 s', '{}', '{}', " + unique('q') + ")");
  }
  return is_scheduled ? "scheduled jobs" : "available jobs";
}

std::string Crowd::produce_canonical() {
  for (auto jobs = pick(1, 6); jobs > 0; --jobs) {
    const bool is_running = pick(1, 2) == 1;
    attempt(std::string("INSERT INTO awa.") + (is_running ? "jobs_hot" : "scheduled_jobs") +
            " (kind, queue, state, run_at, heartbeat_at, unique_key, unique_states) VALUES ('k', "
            "'old', " +
            (is_running ? "'running'" : "'scheduled'") + ", now(), now() - " + kHour + ", " +
            unique('c') + ")");
  }
  return "canonical jobs";
}

std::string Crowd::claim() {
  attempt("SELECT public.worker_claims('" + queue() + "', " + std::to_string(pick(1, 20)) + ", " +
          (pick(1, 2) == 1 ? "0" : "300") + ")");
  return "a claim";
}

std::string Crowd::some_attempt() {
  const auto rows = attempt(
      "SELECT job_id, run_lease FROM public.live_receipt WHERE closures = 0 ORDER BY job_id");
  if (rows.empty()) return "";
  const auto& row =
      rows[static_cast<std::size_t>(pick(0, static_cast<std::int64_t>(rows.size()) - 1))];
  return row[0] + ", " + row[1];
}

std::string Crowd::exit() {
  for (auto exits = pick(1, 6); exits > 0; --exits) {
    const auto one = some_attempt();
    if (one.empty()) break;
    attempt("SELECT public.worker_exits(" + one + ", " + (pick(1, 3) == 1 ? "true" : "false") +
            ")");
  }
  return "exits";
}

std::string Crowd::beat() {
  const auto one = some_attempt();
  if (!one.empty()) attempt("SELECT public.worker_beats(" + one + ")");
  return "a heartbeat of " + one;
}

std::string Crowd::materialise() {
  const auto one = some_attempt();
  if (!one.empty()) attempt("SELECT public.worker_needs_lease(" + one + ")");
  return "a lease of " + one;
}

// All signs of life are an hour old, of some attempts or of all.
std::string Crowd::die() {
  const auto some = " WHERE " + std::to_string(pick(0, 2)) + " = 0 OR ";
  attempt(std::string("UPDATE awa.lease_claims SET claimed_at = claimed_at - ") + kHour + some +
          "job_id % 2 = 0");
  attempt(std::string("UPDATE awa.lease_claim_batches SET claimed_at = claimed_at - ") + kHour +
          some + "batch_id % 2 = 0");
  attempt(std::string("UPDATE awa.leases SET heartbeat_at = heartbeat_at - ") + kHour + some +
          "job_id % 2 = 1");
  attempt(std::string("UPDATE awa.attempt_state SET heartbeat_at = heartbeat_at - ") + kHour +
          some + "job_id % 2 = 1");
  return "a death";
}

// Brings jobs forward, and makes one that is yet to be claimed very old: beyond the reach of the
// back-off function.
std::string Crowd::operate() {
  attempt("UPDATE awa.deferred_jobs SET run_at = now()");
  attempt(
      "UPDATE awa.deferred_jobs SET attempt = 43 WHERE job_id = (SELECT min(job_id) FROM "
      "awa.deferred_jobs WHERE run_lease = 0 AND attempt = 0)");
  return "an operator";
}

// Of the queue and the claim ring, in their first lap: all slots that are ahead are empty then.
std::string Crowd::rotate() {
  for (const std::string ring : {"awa.queue_ring_", "awa.claim_ring_"}) {
    attempt("WITH turned AS (UPDATE " + ring +
            "state SET current_slot = current_slot + 1, generation = generation + 1 WHERE "
            "generation < slot_count - 1 RETURNING current_slot, generation) UPDATE " +
            ring +
            "slots s SET generation = t.generation FROM turned t WHERE s.slot = t.current_slot");
  }
  return "a rotation";
}

std::string Crowd::hold() {
  switch (pick(1, 4)) {
    case 1:
      take_hold("SELECT FROM awa.deferred_jobs ORDER BY run_at LIMIT 5 FOR UPDATE SKIP LOCKED");
      return "a hold on deferred jobs";
    case 2:
      take_hold("SELECT awa.insert_job_compat('kind', '" + queue() + "', '{}')");
      return "a hold on a lane";
    case 3:
      take_hold("SELECT FROM awa.lease_claims LIMIT 5 FOR UPDATE SKIP LOCKED");
      return "a hold on claims";
    default:
      if (const auto one = some_attempt(); !one.empty()) {
        take_hold(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(format("
            "'awa.receipt.complete:%s:%s', " +
            one + "), 0))");
      }
      return "a hold on an attempt";
  }
}

void Crowd::take_hold(const std::string& text) {
  holder_.emplace(database_.session());
  holder_->sql(std::string(kSoon) + "; BEGIN");
  if (!unless_refused(*holder_, text)) holder_.reset();
}

void Crowd::let_go() { holder_.reset(); }

}  // namespace lockkeeper::test
