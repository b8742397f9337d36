// SPDX-License-Identifier: Apache-2.0
//
// A worker whose lock was taken away leads on until it looks, which it does twice a minute.
// Whatever it does until then beside the daemon, the database comes out as it does from the daemon
// alone.
#include <catch2/catch.hpp>

#include "chaos/fleet.hpp"
#include "support/river.hpp"
#include "support/soundness.hpp"
#include "support/worker.hpp"

namespace lockkeeper::test {
namespace {

// Who takes deferred jobs away, as promotion does, and who makes them, as rescue does.
constexpr auto kWatch = R"(
CREATE TABLE public.acted (who text, deed text);
CREATE FUNCTION public.note() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.acted VALUES (session_user, TG_OP);
  RETURN NULL;
END $$;
CREATE TRIGGER note AFTER INSERT OR DELETE ON awa.deferred_jobs
  FOR EACH ROW EXECUTE FUNCTION public.note())";

// Each both ways, often.
bool have_both_acted(const Database& database) {
  return database.value(
             "SELECT count(*) FROM (SELECT FROM public.acted WHERE who IN ('worker', 'lockkeeper') "
             "GROUP BY who, deed HAVING count(*) > 10) d") == "4";
}

// Due jobs, and receipts of both kinds of a worker that died an hour ago; in queues that nobody
// serves. No leases: of an attempt that has one, Awa's leader makes two.
void add(const Database& database, int round) {
  const Worker hand(database);
  const auto queue = "left" + std::to_string(round);
  hand.enqueue("elsewhere", 20, ", 'scheduled', p_run_at => now()");
  hand.enqueue(queue, 9);
  REQUIRE(hand.claim(queue, 6) + hand.claim(queue, 3, Worker::Receipt::row_local) == 9);
  for (const std::string ledger : {"lease_claims", "lease_claim_batches"}) {
    database.sql("UPDATE awa." + ledger +
                 " SET claimed_at = now() - interval '1 hour' WHERE queue = '" + queue + "'");
  }
}

// All that was due or left stands where the next worker takes it.
bool is_settled(const Database& database) {
  return database.value(
             "SELECT NOT EXISTS (SELECT FROM awa.deferred_jobs) AND NOT EXISTS (SELECT FROM "
             "awa.ready_entries e WHERE queue LIKE 'left%' AND NOT EXISTS (SELECT FROM "
             "awa.ready_entries again WHERE again.job_id = e.job_id AND again.run_lease = 1))") ==
         "t";
}

std::string outcome(const Database& database) {
  const Checker with_its_views(database);
  std::string all;
  for (const auto* select :
       {"SELECT place, job_id, state, attempt, run_lease FROM public.live_place ORDER BY 2, 1",
        "SELECT job_id, queue, priority, args, jsonb_array_length(payload -> 'errors') FROM "
        "public.live_waiting ORDER BY 1"}) {
    for (const auto& row : database.sql(select)) all += joined(row) + "\n";
  }
  return all;
}

}  // namespace

TEST_CASE("beside a worker that it has displaced a daemon leaves what it leaves alone",
          "[chaos][fleet][T19][I10]") {
  River river;
  const auto& database = river.database();
  auto settings = river.settings();
  settings.takeover = "terminate";
  int rounds = 0;
  {
    const Fleet fleet(database, 1);
    REQUIRE(eventually([&] { return river.holder_pid() != 0; }));
    const Daemon daemon(settings);
    REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
    database.sql(kWatch);
    river.slow_down(100ms);  // so that they meet
    REQUIRE(eventually([&] {
      add(database, rounds++);
      return have_both_acted(database);
    }));
    REQUIRE(eventually([&] { return is_settled(database); }));
    CHECK(river.is_led_by(daemon));
    CHECK(daemon.metric("lockkeeper_branch_passes_total", {"outcome=\"failed\""}) == 0);
  }
  River alone;
  const Daemon daemon(alone.settings());
  REQUIRE(eventually([&] { return alone.is_led_by(daemon); }));
  for (int round = 0; round < rounds; ++round) add(alone.database(), round);
  REQUIRE(eventually([&] { return is_settled(alone.database()); }));

  CHECK(outcome(database) == outcome(alone.database()));
  CHECK_FALSE(alone.fence_has_fired());
}

}  // namespace lockkeeper::test
