// SPDX-License-Identifier: Apache-2.0
//
// Inside of pg::Connection, for this room only: connect.cpp opens, pipeline.cpp talks,
// connection.cpp owns and ends.
#pragma once

#include <libpq-fe.h>

#include <deque>
#include <map>
#include <optional>

#include "pg/connection.hpp"
#include "pg/target.hpp"

namespace lockkeeper::pg {

// Marks a reply that has not come yet; never leaves this room.
inline const SqlState kPending("?");

struct Connection::Impl : std::enable_shared_from_this<Connection::Impl> {
  explicit Impl(event::Loop& on_loop);
  ~Impl();

  // connect.cpp
  void connect(const ConnectSettings& with, OnConnected on_connected);
  void look_up_names();
  void plan_attempts(const std::map<std::string, std::vector<std::string>>& addresses);
  void try_next();
  void advance_handshake();
  void attempt_failed(const std::string& why);
  void connected();
  void give_up(const std::string& why);

  // pipeline.cpp
  void send(Pipeline pipeline, OnReplies on_replies);
  bool queue_pipeline();
  bool queue_call(std::size_t index);
  void on_socket(int ready);
  bool flush();
  bool take_input();
  void read_results();
  void take_result(PGresult* result);
  void take_error(std::size_t call, const PGresult* result);
  void take_late_error(const PGresult* result);
  void finish_pipeline();
  bool may_send_again() const;
  void take_notifications();
  static void on_notice(void* self, const PGresult* notice);

  // connection.cpp
  void post(std::function<void(Impl&)> callback);  // dies with the connection
  void close();
  void lost(const std::string& reason);
  void disconnect();
  void answer(Replies replies);

  // One result that libpq owes us: of a Parse that we added, or of a call.
  struct Owed {
    std::size_t call;
    bool is_parse;
  };

  event::Loop& loop;
  State state = State::closed;
  ConnectSettings settings;
  OnConnected on_connected;
  OnLost on_lost;
  OnNotification on_notification;

  Options options;
  struct Attempt {
    Target target;
    bool wants_read_write;
  };
  std::deque<Attempt> attempts;
  time::TimePoint deadline{};
  std::string last_failure;
  std::optional<event::Blocking> resolving;
  event::Timer alarm;

  PGconn* connection = nullptr;
  std::optional<event::Poller> poller;

  Pipeline pipeline;
  OnReplies on_replies;
  Replies replies;
  std::deque<Owed> owed;
  bool sent_again = false;
  bool began_idle = false;   // outside a transaction block when the pipeline left
  bool has_settled = false;  // a COMMIT or ROLLBACK within the pipeline has ended a transaction
  std::string last_words;    // of a server that ends the session
  std::map<std::string, std::string> prepared;  // statement name to the name on the server
  std::uint64_t next_prepared = 0;
};

}  // namespace lockkeeper::pg
