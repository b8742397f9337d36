// SPDX-License-Identifier: Apache-2.0
#include "support/river.hpp"

#include "support/checkout.hpp"

namespace lockkeeper::test {
namespace {

// On the parent of every table that a promotion writes to first, by statement, before the work.
constexpr auto kSlow = R"(
CREATE OR REPLACE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF session_user = 'lockkeeper' THEN PERFORM pg_sleep(%); END IF;
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER bbb_slow BEFORE DELETE ON awa.deferred_jobs
  FOR EACH STATEMENT EXECUTE FUNCTION public.slow())";

constexpr auto kHolder = R"(
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.classid = 1096237407 AND l.objid = 1296124238
  AND l.objsubid = 1 AND l.granted AND a.datname = current_database())";

// Every attempt of every job once, wherever it stands.
constexpr auto kTwice = R"(
SELECT count(*) FROM (
  SELECT job_id, run_lease FROM awa.ready_entries
  UNION ALL SELECT job_id, run_lease FROM awa.deferred_jobs) each
GROUP BY job_id, run_lease HAVING count(*) > 1)";

constexpr auto kClosures = R"(
SELECT (SELECT count(*) FROM awa.lease_claims) +
       (SELECT coalesce(sum(claimed_count), 0) FROM awa.lease_claim_batches) -
       (SELECT count(*) FROM awa.lease_claim_closures) -
       (SELECT coalesce(sum(closed_count), 0) FROM awa.lease_claim_closure_batches))";

std::string server_log() { return read_text(Server::instance().folder() + "/log"); }

}  // namespace

River::River() : log_begins_(server_log().size()) { database_.install_fence(); }

// Lanes belong to whoever uses them first, as the workers would, not to the superuser.
void River::as_worker(const std::string& text) {
  database_.sql("SET ROLE awa_owner; " + text + "; RESET ROLE");
}

DaemonSettings River::settings() const {
  DaemonSettings settings;
  settings.url = database_.url();
  return settings;
}

void River::enqueue(int jobs, std::chrono::milliseconds over) {
  const auto step = std::to_string(over.count() * 1000 / jobs);
  as_worker(
      "SELECT awa.insert_job_compat('kind', 'queue' || n % 3, jsonb_build_object('n', n),"
      " 'scheduled', p_run_at => clock_timestamp() + n * interval '" +
      step + " us') FROM generate_series(1, " + std::to_string(jobs) + ") n");
  jobs_ += jobs;
}

void River::abandon(int jobs) {
  const auto many = std::to_string(jobs);
  as_worker(
      "SELECT awa.insert_job_compat('kind', 'left', jsonb_build_object('n', n))"
      " FROM generate_series(1, " +
      many + ") n");
  as_worker("SELECT count(*) FROM awa.claim_ready_runtime('left', " + many + ", 300, 0)");
  as_worker(
      "UPDATE awa.lease_claims SET claimed_at = claimed_at - interval '1 hour'"
      " WHERE queue = 'left'");
  abandoned_ += jobs;
}

void River::slow_down(std::chrono::milliseconds by) {
  std::string text = kSlow;
  text.replace(text.find('%'), 1, std::to_string(static_cast<double>(by.count()) / 1000));
  database_.sql(text);
}

void River::speed_up() { database_.sql("DROP TRIGGER IF EXISTS bbb_slow ON awa.deferred_jobs"); }

std::string River::holder() const {
  return database_.value("SELECT a.application_name" + std::string(kHolder));
}

int River::holder_pid() const {
  const auto pid = database_.value("SELECT a.pid" + std::string(kHolder));
  return pid.empty() ? 0 : std::stoi(pid);
}

bool River::is_led_by(const Daemon& daemon) const {
  return holder() == daemon.name() && daemon.leads();
}

bool River::is_in_statement() const {
  return !database_
              .value(
                  "SELECT 1 FROM pg_stat_activity WHERE usename = 'lockkeeper'"
                  " AND datname = current_database() AND wait_event = 'PgSleep'")
              .empty();
}

// In one statement: a rescue moves a job from one of the two to the other.
bool River::is_settled() const {
  return database_.value("SELECT NOT EXISTS (SELECT FROM awa.deferred_jobs) AND (" +
                         std::string(kClosures) + ") = 0") == "t";
}

bool River::fence_has_fired() const {
  return server_log().find("fence: ", log_begins_) != std::string::npos;
}

void make_worker_role(const Database& database) {
  database.sql("GRANT pg_signal_backend TO awa_owner");
  if (!database.value("SELECT 1 FROM pg_roles WHERE rolname = 'worker'").empty()) return;
  database.sql("CREATE ROLE worker LOGIN IN ROLE awa_owner");
  database.sql("ALTER ROLE worker SET role = 'awa_owner'");
}

void River::drop_and_migrate() {
  database_.sql("DROP SCHEMA awa CASCADE");
  run({{awa_program(), "--database-url", database_.superuser_url(), "migrate"}, false});
  database_.give_to_owner();
  database_.sql("SELECT awa.storage_auto_finalize_if_fresh('awa')");
  database_.install_fence();
  jobs_ = abandoned_ = 0;
}

std::string River::verdict() {
  if (!eventually([this] { return is_settled(); })) {
    return "not settled: " + database_.value("SELECT count(*) FROM awa.deferred_jobs") +
           " deferred, " + database_.value(kClosures) + " attempts open";
  }
  if (fence_has_fired()) return "the fence has fired";
  if (!database_.sql(kTwice).empty()) return "a job was promoted or rescued twice";
  // What was abandoned stands there once as it was first and once as it came back, unless the
  // ring has turned on.
  const auto seen =
      std::stoi(database_.value("SELECT count(DISTINCT job_id) FROM awa.ready_entries"));
  if (seen != jobs_ + abandoned_) {
    return std::to_string(jobs_ + abandoned_ - seen) + " jobs are lost";
  }
  const auto returned = database_.value(
      "SELECT count(*) FROM awa.ready_entries WHERE queue = 'left' AND run_lease = 1");
  if (std::stoi(returned) != abandoned_) return "only " + returned + " attempts were rescued";
  return "";
}

}  // namespace lockkeeper::test
