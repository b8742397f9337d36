// SPDX-License-Identifier: Apache-2.0
#include "pg/connection.hpp"

#include <utility>

#include "pg/connection_impl.hpp"

namespace lockkeeper::pg {

Connection::Impl::Impl(event::Loop& on_loop)
    : loop(on_loop), alarm(on_loop, [this] {
        if (state == State::resolving) return give_up("looking up its host name took too long");
        if (state == State::connecting) return attempt_failed("no answer in time");
        if (state == State::busy) return lost("a statement was not answered in time");
      }) {}

Connection::Impl::~Impl() { disconnect(); }

void Connection::Impl::post(std::function<void(Impl&)> callback) {
  loop.post([weak = weak_from_this(), callback = std::move(callback)] {
    if (const auto self = weak.lock()) callback(*self);
  });
}

void Connection::Impl::close() {
  if (state == State::closed) return;
  on_connected = nullptr;
  on_lost = nullptr;
  lost("closed");
}

void Connection::Impl::disconnect() {
  alarm.disarm();
  resolving.reset();
  attempts.clear();
  poller.reset();
  if (connection != nullptr) PQfinish(std::exchange(connection, nullptr));
  prepared.clear();
  owed.clear();
  last_words.clear();
  state = State::closed;
}

// A pipeline under way is answered before the loss is announced. Whatever has not been confirmed
// by the last reply is in doubt, so the last call is never a success: an implicit transaction is
// committed only after its statements have been answered.
void Connection::Impl::lost(const std::string& what) {
  const bool was_busy = state == State::busy;
  const auto reason = last_words.empty() ? what : last_words;
  disconnect();
  if (was_busy) {
    for (auto& reply : replies) {
      const bool is_last = &reply == &replies.back();
      const bool is_pending = reply.state.is(kPending.code());
      if (!is_pending && !(is_last && (reply.ok() || reply.skipped))) continue;
      reply = Reply();
      reply.state = SqlState("08006");
      reply.message = reason;
    }
    answer(std::move(replies));
  }
  post([reason, callback = std::exchange(on_lost, nullptr)](Impl&) {
    if (callback) callback(reason);
  });
}

void Connection::Impl::answer(Replies with) {
  post([callback = std::exchange(on_replies, nullptr), with = std::move(with)](Impl& self) mutable {
    if (!callback) return;
    try {
      callback(std::move(with));
    } catch (const Error& error) {
      self.lost(error.what());  // it comes from a server that is not what it seems
    }
  });
}

Connection::Connection(event::Loop& loop) : impl_(std::make_shared<Impl>(loop)) {}

Connection::~Connection() { impl_->disconnect(); }

void Connection::connect(const ConnectSettings& settings, OnConnected on_connected) {
  impl_->connect(settings, std::move(on_connected));
}

void Connection::set_on_lost(OnLost on_lost) { impl_->on_lost = std::move(on_lost); }

void Connection::set_on_notification(OnNotification on_notification) {
  impl_->on_notification = std::move(on_notification);
}

void Connection::send(Pipeline pipeline, OnReplies on_replies) {
  impl_->send(std::move(pipeline), std::move(on_replies));
}

void Connection::close() { impl_->close(); }

bool Connection::in_transaction() const {
  if (impl_->connection == nullptr) return false;
  const auto status = PQtransactionStatus(impl_->connection);
  return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

Connection::State Connection::state() const { return impl_->state; }

int Connection::backend_pid() const {
  return impl_->connection != nullptr ? PQbackendPID(impl_->connection) : 0;
}

int Connection::server_version() const {
  return impl_->connection != nullptr ? PQserverVersion(impl_->connection) : 0;
}

std::string Connection::parameter(const std::string& name) const {
  if (impl_->connection == nullptr) return "";
  const char* value = PQparameterStatus(impl_->connection, name.c_str());
  return value != nullptr ? value : "";
}

std::shared_ptr<void> Connection::cancel_handle() const {
  if (impl_->connection == nullptr) return nullptr;
  return {PQgetCancel(impl_->connection),
          [](void* cancel) { PQfreeCancel(static_cast<PGcancel*>(cancel)); }};
}

}  // namespace lockkeeper::pg
