// SPDX-License-Identifier: Apache-2.0
//
// What this room says to the server, as calls that are ready to be sent, and how it reads the
// answers. None of these statements needs schema awa.
#pragma once

#include <optional>
#include <string>

#include "leadership/election.hpp"
#include "pg/session.hpp"

namespace lockkeeper::leadership {

// The first words on any session. A pooler must not be told anything that it would keep for the
// next client, so nothing is set before this is answered.
pg::Call ask_identity();

struct Identity {
  int backend_pid = 0;
  bool is_standby = false;
  bool is_read_only = false;
  std::string server_start;  // tells two servers apart, and one server from its restart
};
Identity read_identity(const pg::Reply& reply);

// Session settings of the leader, in the order in which they are sent; the acting role is last.
pg::Pipeline set_up_leader(const ElectionSettings& settings);
// By itself, because some platforms refuse it.
pg::Pipeline watch_client();
pg::Call act_as(const std::string& role);
pg::Pipeline set_up_control();

pg::Call try_lock();
pg::Call ask_holder();
std::optional<Holder> read_holder(const pg::Reply& reply);

// Ends that backend if it still holds the lock; one row, true, if the signal was sent, or with
// patience if it has ended by then. 42501 if we may not, and what to do about it.
pg::Call terminate(const Holder& holder, time::Duration patience = {});
// One row, true, if the acting role may do that; no row when that backend has gone.
pg::Call ask_right_to_end(const Holder& holder);
inline constexpr auto kRightToEnd =
    "run GRANT pg_signal_backend TO the role that acts, or let it be the workers' role; a "
    "superuser's session is ended by superusers only";

// Gives the lock back and wakes the daemons that listen.
pg::Pipeline unlock();
pg::Pipeline wake_others();
// Gives the lock back to a worker; waits for no longer than others take to ask. Other daemons do
// not ask for it before end_window(), or the end of this session. The second reply is the time,
// after which a worker may have it.
pg::Pipeline make_way();
pg::Call end_window();

// By its name: no Lockkeeper ends another, or two of them would do nothing else.
bool is_lockkeeper(const Holder& holder);

inline constexpr auto kChannel = "lockkeeper";

// "pid 4711 (awa-worker) since 2026-01-31T12:00:00Z".
std::string describe(const Holder& holder);

}  // namespace lockkeeper::leadership
