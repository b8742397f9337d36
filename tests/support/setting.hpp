// SPDX-License-Identifier: Apache-2.0
//
// What several suites make of a database before they begin.
#pragma once

#include <string>

#include "support/database.hpp"

namespace lockkeeper::test {

// From now on the wall clock of this database is an hour ahead of its transactions.
inline void set_clock_ahead(const Database& database) {
  database.sql("ALTER FUNCTION pg_catalog.clock_timestamp() RENAME TO host_clock");
  database.sql(
      "CREATE FUNCTION pg_catalog.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
      "$$SELECT pg_catalog.host_clock() + interval '1 hour'$$");
}

// A canonical database that nobody has used goes to queue storage in schema river, which awa_owner
// makes with so many slots of the three rings, and with receipts.
inline void move_to_river(const Database& database, const std::string& slots) {
  database.sql("GRANT CREATE ON DATABASE " + database.name() + " TO awa_owner");
  database.sql("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA awa TO awa_owner; SET ROLE awa_owner");
  database.sql("SELECT awa.install_queue_storage_substrate('river', " + slots + ", true)");
  database.sql("SELECT awa.storage_auto_finalize_if_fresh('river')");
  database.sql("RESET ROLE");
  database.grant("river");
}

// Queue storage goes on in schema my_river, with other numbers of slots, whose claims leave no
// receipts.
inline void go_without_receipts(const Database& database) {
  database.sql("SELECT awa.install_queue_storage_substrate('my_river', 8, 4, 4, false)");
  database.give_to_owner("my_river");
  database.sql(
      "UPDATE awa.storage_transition_state SET details = jsonb_build_object('schema', 'my_river')");
}

}  // namespace lockkeeper::test
