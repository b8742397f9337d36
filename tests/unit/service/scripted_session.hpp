// SPDX-License-Identifier: Apache-2.0
//
// A session whose server is the test: what was sent waits until it is answered. As with the real
// one, whoever sends while something is under way meets a logic_error.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "event/loop.hpp"
#include "pg/session.hpp"

namespace lockkeeper::test {

class ScriptedSession final : public pg::Session {
 public:
  explicit ScriptedSession(event::Loop& loop) : loop_(loop) {}

  void send(pg::Pipeline pipeline, pg::OnReplies on_replies) override {
    if (is_busy()) throw std::logic_error("a pipeline is already under way");
    sent_.push_back(names(pipeline));
    size_ = pipeline.size();
    on_replies_ = std::move(on_replies);
  }
  bool in_transaction() const override { return false; }

  bool is_busy() const { return on_replies_ != nullptr; }

  // The names of the statements of each pipeline, or their texts where they have none.
  const std::vector<std::vector<std::string>>& sent() const { return sent_; }

  // The pipeline under way ends with this SQLSTATE, or has brought no rows if it is empty.
  void answer(const char* state = "") {
    pg::Reply reply;
    reply.state = pg::SqlState(state);
    loop_.post([on_replies = std::exchange(on_replies_, nullptr),
                replies = pg::Replies(size_, reply)] { on_replies(replies); });
  }

 private:
  static std::vector<std::string> names(const pg::Pipeline& pipeline) {
    std::vector<std::string> names;
    for (const auto& call : pipeline) {
      const auto& statement = *call.statement;
      names.push_back(statement.name.empty() ? statement.text : statement.name);
    }
    return names;
  }

  event::Loop& loop_;
  std::vector<std::vector<std::string>> sent_;
  std::size_t size_ = 0;
  pg::OnReplies on_replies_;
};

}  // namespace lockkeeper::test
