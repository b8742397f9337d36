// SPDX-License-Identifier: Apache-2.0
//
// One pipeline on an open connection: Parse where a statement is new to the session, the
// calls, one Sync; then the results in the same order, until the Sync is answered.
#include <stdexcept>

#include "pg/connection_impl.hpp"

namespace lockkeeper::pg {
namespace {

std::string field(const PGresult* result, int code) {
  const char* value = PQresultErrorField(result, code);
  return value != nullptr ? value : "";
}

// FATAL and PANIC end the session: whatever their code, the connection is lost.
bool ends_session(const PGresult* result) {
  const auto severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  return severity == "FATAL" || severity == "PANIC";
}

bool ends_transaction(PGresult* result) {
  const std::string_view tag = PQcmdStatus(result);
  return tag == "COMMIT" || tag == "ROLLBACK";
}

std::int64_t affected_rows(PGresult* result) {
  const std::string count = PQcmdTuples(result);
  return count.empty() ? 0 : std::stoll(count);
}

}  // namespace

void Connection::Impl::send(Pipeline calls, OnReplies callback) {
  if (state == State::busy) throw std::logic_error("a pipeline is already under way");
  pipeline = std::move(calls);
  on_replies = std::move(callback);
  replies.assign(pipeline.size(), Reply{kPending, false, {}, {}, 0, {}});
  sent_again = false;
  if (state != State::idle) {
    for (auto& reply : replies) reply.state = SqlState("08006");
    return answer(std::move(replies));
  }
  state = State::busy;
  alarm.arm_in(settings.reply_limit);
  if (!queue_pipeline()) lost("the connection does not take statements any more");
}

bool Connection::Impl::queue_pipeline() {
  began_idle = PQtransactionStatus(connection) == PQTRANS_IDLE;
  has_settled = false;
  owed.clear();
  for (std::size_t index = 0; index < pipeline.size(); ++index) {
    if (!queue_call(index)) return false;
  }
  if (PQpipelineSync(connection) != 1) return false;
  return flush();
}

bool Connection::Impl::queue_call(std::size_t index) {
  const auto& call = pipeline[index];
  std::vector<const char*> values;
  for (const auto& parameter : call.parameters) {
    values.push_back(parameter.text() ? parameter.text()->c_str() : nullptr);
  }
  const auto count = static_cast<int>(values.size());
  const auto& statement = *call.statement;
  if (statement.name.empty()) {
    owed.push_back({index, false});
    return PQsendQueryParams(connection, statement.text.c_str(), count, nullptr, values.data(),
                             nullptr, nullptr, 0) == 1;
  }
  auto found = prepared.find(statement.name);
  if (found == prepared.end()) {
    found = prepared.emplace(statement.name, "s" + std::to_string(next_prepared++)).first;
    owed.push_back({index, true});
    if (PQsendPrepare(connection, found->second.c_str(), statement.text.c_str(), 0, nullptr) != 1) {
      return false;
    }
  }
  owed.push_back({index, false});
  return PQsendQueryPrepared(connection, found->second.c_str(), count, values.data(), nullptr,
                             nullptr, 0) == 1;
}

bool Connection::Impl::flush() {
  const auto left = PQflush(connection);
  if (left < 0) return false;
  using event::Poller;
  poller->watch(left > 0 ? Poller::readable | Poller::writable : Poller::readable);
  return true;
}

// What TLS has already taken from the socket makes it readable no more, so there libpq is asked
// until the largest record is out.
bool Connection::Impl::take_input() {
  constexpr int kReadsPerRecord = 3;
  const int reads = PQsslInUse(connection) != 0 ? kReadsPerRecord : 1;
  for (int i = 0; i < reads; ++i) {
    if (PQconsumeInput(connection) != 1) return false;
  }
  return true;
}

void Connection::Impl::on_socket(int ready) {
  if ((ready & event::Poller::readable) != 0 && !take_input()) {
    read_results();  // the reason, if the server gave one, stands before the end of the stream
    if (connection != nullptr) lost("the server closed the connection");
    return;
  }
  if (!flush()) return lost("the connection was reset");
  read_results();
  if (connection != nullptr) take_notifications();
}

// Results come one a call, with a NULL between; two NULLs in a row mean that libpq has nothing.
void Connection::Impl::read_results() {
  int nothing = 0;
  while (connection != nullptr && nothing < 2 && PQisBusy(connection) == 0) {
    auto* result = PQgetResult(connection);
    if (result == nullptr) {
      ++nothing;
      continue;
    }
    nothing = 0;
    if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
      PQclear(result);
      if (!owed.empty() || state != State::busy) return lost("the server lost count");
      return finish_pipeline();
    }
    take_result(result);
  }
}

void Connection::Impl::take_result(PGresult* result) {
  const Rows owner(result);
  if (owed.empty()) return take_late_error(result);
  const auto [call, is_parse] = owed.front();
  owed.pop_front();
  switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
      if (is_parse) return;
      has_settled |= ends_transaction(result);
      replies[call].state = SqlState();
      replies[call].affected = affected_rows(result);
      replies[call].rows = owner;
      return;
    case PGRES_PIPELINE_ABORTED:
      if (is_parse) prepared.erase(pipeline[call].statement->name);
      if (!replies[call].state.is(kPending.code())) return;  // its own Parse has failed
      if (is_parse) return;
      replies[call].state = SqlState();
      replies[call].skipped = true;
      return;
    case PGRES_FATAL_ERROR:
      if (is_parse) prepared.erase(pipeline[call].statement->name);
      return take_error(call, result);
    default:
      return lost("the server sent something that was not asked for");
  }
}

// After the last call: the implicit transaction could not be committed, or the session ends.
void Connection::Impl::take_late_error(const PGresult* result) {
  if (PQresultStatus(result) != PGRES_FATAL_ERROR || replies.empty()) {
    return lost("the server sent something that was not asked for");
  }
  replies.back() = Reply();
  take_error(replies.size() - 1, result);
}

void Connection::Impl::take_error(std::size_t call, const PGresult* result) {
  auto& reply = replies[call];
  auto code = field(result, PG_DIAG_SQLSTATE);
  const bool is_lost = code.starts_with("08") || code.starts_with("57P");
  if (code.empty() || (ends_session(result) && !is_lost)) code = "08006";
  reply.state = SqlState(code);
  reply.message = field(result, PG_DIAG_MESSAGE_PRIMARY);
  if (reply.message.empty()) reply.message = PQresultErrorMessage(result);
  if (ends_session(result)) last_words = reply.message;
  reply.constraint = field(result, PG_DIAG_CONSTRAINT_NAME);
  if (code == "26000") prepared.clear();  // somebody discarded them all
  if (code == "0A000") prepared.erase(pipeline[call].statement->name);
}

// The pipeline was one implicit transaction and has left nothing behind, so it may go again.
bool Connection::Impl::may_send_again() const {
  if (sent_again || !began_idle || has_settled) return false;
  if (PQtransactionStatus(connection) != PQTRANS_IDLE) return false;
  for (const auto& reply : replies) {
    if (reply.state.is("26000") || reply.state.is("0A000")) return true;
  }
  return false;
}

void Connection::Impl::finish_pipeline() {
  if (may_send_again()) {
    sent_again = true;
    replies.assign(pipeline.size(), Reply{kPending, false, {}, {}, 0, {}});
    if (!queue_pipeline()) lost("the connection does not take statements any more");
    return;
  }
  alarm.disarm();
  state = State::idle;
  answer(std::move(replies));
}

// An idle session is told why it ends (a time limit, a shutdown) before the stream does.
void Connection::Impl::on_notice(void* self, const PGresult* notice) {
  if (ends_session(notice)) {
    static_cast<Impl*>(self)->last_words = field(notice, PG_DIAG_MESSAGE_PRIMARY);
  }
}

void Connection::Impl::take_notifications() {
  while (auto* notification = PQnotifies(connection)) {
    post([channel = std::string(notification->relname),
          payload = std::string(notification->extra)](Impl& self) {
      const auto callback = self.on_notification;
      if (callback) callback(channel, payload);
    });
    PQfreemem(notification);
  }
}

}  // namespace lockkeeper::pg
