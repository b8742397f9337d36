// SPDX-License-Identifier: Apache-2.0
//
// What the database says about itself: schema version, storage planes, ring sizes. Read before
// leading and again while leading, because migrations and transitions run under live traffic.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pg/value.hpp"

namespace lockkeeper::awa {

inline constexpr std::int64_t kSchemaVersion = 40;

struct RingShape {
  std::int64_t queue_slots = 0;
  std::int64_t lease_slots = 0;
  std::int64_t claim_slots = 0;
  friend bool operator==(const RingShape&, const RingShape&) = default;
};

struct Planes {
  std::string transition_state;              // canonical, prepared, mixed_transition, active
  std::optional<std::string> routed_schema;  // where new jobs go; empty while canonical is routed
  std::optional<std::string>
      storage_schema;       // schema whose queue-storage tables exist; empty if none
  RingShape rings;          // of storage_schema
  bool is_patched = false;  // wait_free_dirty_marks is installed in full

  // Promotion and rescue serve queue storage whenever its tables exist, rings turn only
  // while it is routed.
  bool has_queue_storage() const { return storage_schema.has_value(); }
  bool is_queue_storage_routed() const {
    return routed_schema.has_value() && routed_schema == storage_schema;
  }
  friend bool operator==(const Planes&, const Planes&) = default;
};

}  // namespace lockkeeper::awa
