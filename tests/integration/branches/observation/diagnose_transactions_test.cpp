// SPDX-License-Identifier: Apache-2.0
//
// Whoever keeps a transaction open that others wait for, or that keeps vacuum from its work.
#include <catch2/catch.hpp>

#include "awa/sql.hpp"
#include "metrics/names.hpp"
#include "support/rings.hpp"
#include "support/setting.hpp"

using namespace lockkeeper;
using namespace lockkeeper::test;
using branches::diagnose;
namespace names = metrics::names;

TEST_CASE("who keeps a transaction open is shown by name", "[branches][diagnose]") {
  const Database database;
  const auto producer = database.session();
  producer.sql("SET application_name = 'the shop'; SET ROLE awa_owner; BEGIN");
  producer.sql("SELECT awa.insert_job_compat('k', 'q', '{}')");
  const auto pid = producer.value("SELECT pg_backend_pid()");
  {
    Leader leader(database);
    leader.run(diagnose);
    CHECK(*found(leader, names::kOldestProducer) < 600);
    CHECK_FALSE(shows(leader, "lockkeeper_mvcc_horizon_holder_seconds{"));
  }
  set_clock_ahead(database);
  Leader leader(database);

  leader.run(diagnose);

  CHECK(*found(leader, names::kOldestProducer) >= 3600);
  CHECK(*found(leader, names::kHorizonHolder,
               {{"kind", "session"}, {"pid", pid}, {"application_name", "the shop"}}) >= 3600);
  producer.sql("COMMIT");
  leader.run(diagnose);
  CHECK(found(leader, names::kOldestProducer) == 0);
  CHECK_FALSE(shows(leader, "lockkeeper_mvcc_horizon_holder_seconds{"));
}

TEST_CASE("of many who keep a transaction open the first one is named", "[branches][diagnose]") {
  const Database database;
  std::vector<Session> producers;
  std::vector<std::string> pids;
  for (int nth = 0; nth < 3; ++nth) {
    producers.push_back(database.session());
    producers.back().sql("BEGIN; SET ROLE awa_owner; SELECT awa.insert_job_compat('k', 'q" +
                         std::to_string(nth) + "', '{}')");
    pids.push_back(producers.back().value("SELECT pg_backend_pid()"));
  }
  awa::Library library("awa");
  const auto first = [&](const char* name, const std::string& arguments, std::size_t column) {
    const auto session = database.session();
    session.sql("PREPARE it AS " + library.get(awa::Sql(name))->text);
    return session.sql("EXECUTE it(" + arguments + ")")[0][column];
  };

  CHECK(first("diagnose/producers", "'awa', 1", 0) == pids[0]);
  CHECK(first("diagnose/horizon", "1", 1) == pids[0]);
}

TEST_CASE("a producer of either plane and kind is seen", "[branches][diagnose]") {
  const auto routing = GENERATE(Database::Routing::queue_storage, Database::Routing::canonical);
  const std::string state = GENERATE("'available'", "'scheduled', p_run_at => now() + '1 h'");
  CAPTURE(state);
  const Database database(routing);
  const auto producer = database.session();
  producer.sql("BEGIN; SET ROLE awa_owner; SELECT awa.insert_job_compat('k', 'q', '{}', " + state +
               ")");
  set_clock_ahead(database);
  Leader leader(database);

  leader.run(diagnose);

  CHECK(*found(leader, names::kOldestProducer) >= 3600);
}

TEST_CASE("a name of others is cut and kept in its line", "[branches][diagnose]") {
  const Database database;
  Leader leader(database);
  const std::string gid = "a\nb" + std::string(150, 'x');
  const auto session = database.session();
  session.sql("BEGIN; CREATE TABLE public.forgotten (n int); PREPARE TRANSACTION '" + gid + "'");
  set_clock_ahead(database);

  leader.run(diagnose);

  CHECK(shows(leader, "lockkeeper_mvcc_horizon_holder_seconds{application_name=\"a\\\\nbx"));
  CHECK_FALSE(shows(leader, std::string(101, 'x')));
  session.sql("ROLLBACK PREPARED '" + gid + "'");
}
