// SPDX-License-Identifier: Apache-2.0
//
// Whether a database may be led, and the planes that its schema has at the moment.
//
// Two pipelines of a few catalogue reads, made to survive anything that may stand in the
// database: no schema awa, half a migration, a foreign owner. A refusal is one sentence that
// names the remedy. A right that only branches need stops only these.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "awa/planes.hpp"
#include "awa/privileges.hpp"
#include "pg/session.hpp"

namespace lockkeeper::awa {

enum class Verdict {
  accepted,           // may be led; planes are filled in
  schema_missing,     // no Awa in this database, or somebody is migrating it anew
  wrong_version,      // a schema that this program does not know
  missing_privilege,  // it cannot be looked at, or no branch of the slo lane could work
  unreadable,         // the question itself failed; ask again
};

// As metrics spell it: the enumerator itself.
std::string_view name(Verdict verdict);

struct Examination {
  Verdict verdict = Verdict::unreadable;
  std::int64_t version = 0;         // 0 when there is none
  Planes planes;                    // complete when accepted; as far as known otherwise
  std::string sentence;             // empty when accepted
  Unable unable;                    // branches that lack a right; the others work
  std::vector<std::string> advice;  // what does not stop us but should be said once
  std::string bound;                // why no worker's session can be ended; empty when it can be
};

// What the advice says, a sentence each: "what is so; what to do about it".
std::string advice_on_patch(bool is_begun);
std::string advice_on_statistics(const std::string& role);
std::string advice_on_takeover(const std::string& role);
std::string advice_on_lanes(const std::string& role, const std::string& owner);

// The session must be idle and is idle again when the callback comes. Not called when the
// session is destroyed meanwhile; called with unreadable when its connection is lost.
void examine(pg::Session& session, SwitchedOff switched_off,
             std::function<void(Examination)> on_result);

// One short read that tells whether the storage is as it was found: quick enough for each second.
pg::Call glance();
bool is_as_found(const pg::Rows& glance, const Planes& planes);

// Gives back the advisory locks of the session that a cancelled statement has left, but for those
// with these keys; answers with their number, and outside a transaction only. One that was left
// twice needs two calls.
pg::Call give_back_locks(const std::vector<std::int64_t>& meant);

}  // namespace lockkeeper::awa
