// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "support/pass.hpp"

using namespace lockkeeper;
using namespace lockkeeper::test;
using branches::promote_scheduled;

namespace {

// What the server's own time limit says, once a statement takes more than so many jobs.
constexpr auto kTimeLimit = R"(
CREATE FUNCTION public.time_limit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT count(*) FROM gone) > 100 THEN
    RAISE EXCEPTION 'canceling statement due to statement timeout' USING ERRCODE = '57014';
  END IF;
  RETURN NULL;
END $$)";

void limit(const Database& database, const std::string& table) {
  database.sql(kTimeLimit);
  database.sql("CREATE TRIGGER time_limit AFTER DELETE ON awa." + table +
               " REFERENCING OLD TABLE AS gone FOR EACH STATEMENT"
               " EXECUTE FUNCTION public.time_limit()");
}

bool is_cancelled(Leader& leader) {
  try {
    leader.run(promote_scheduled);
  } catch (const pg::Error& error) {
    return error.state().is_cancelled();
  }
  return false;
}

}  // namespace

TEST_CASE("a batch that the server's time limit ends is smaller the next time",
          "[branches][promote_scheduled]") {
  const auto routing = GENERATE(Database::Routing::queue_storage, Database::Routing::canonical);
  const bool is_canonical = routing == Database::Routing::canonical;
  const auto* table = is_canonical ? "scheduled_jobs" : "deferred_jobs";
  const Database database(routing);
  database.sql(
      "SELECT awa.insert_job_compat('kind', 'queue', jsonb_build_object('n', n), 'scheduled',"
      " p_run_at => now() - interval '1 s') FROM generate_series(1, 300) n");
  limit(database, table);
  Leader leader(database);

  int cancelled = 0;
  while (cancelled < 10 && is_cancelled(leader)) ++cancelled;

  CHECK(cancelled > 0);
  CHECK(database.value(std::string("SELECT count(*) FROM awa.") + table) == "0");
}
