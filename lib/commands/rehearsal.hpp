// SPDX-License-Identifier: Apache-2.0
//
// A session on which a pass does all its work and nothing of it is kept.
//
// One transaction stands around the pass, and what the pass takes for its own transactions are
// savepoints in it, so it sees what it has done and comes to its end. Locks are held until then;
// nothing is notified; numbers that sequences have given stay given; what one of its transactions
// sets for itself, a limit or a role, holds for the next ones too. Loop thread only.
#pragma once

#include <functional>

#include "pg/session.hpp"

namespace lockkeeper::commands {

class Rehearsal final : public pg::Session {
 public:
  // The session is idle, and nobody else uses it before undo() has called back.
  explicit Rehearsal(pg::Session& session) : session_(session) {}

  void send(pg::Pipeline pipeline, pg::OnReplies on_replies) override;

  // As the pass sees it.
  bool in_transaction() const override { return has_savepoint_; }

  // Rolls back everything since the beginning, or since the last one.
  void undo(std::function<void()> on_done);

 private:
  // Statements as they are sent, and where the replies are that the pass has asked for.
  struct Script {
    pg::Pipeline pipeline;
    std::vector<std::size_t> asked;
    bool is_alone = false;  // in no transaction of the pass
    void add(const pg::Call& call);
    void add_unasked(const char* text);
  };
  Script script_of(const pg::Pipeline& pipeline);
  void answer(const Script& script, pg::Replies replies, const pg::OnReplies& then);

  pg::Session& session_;
  bool has_savepoint_ = false;  // the pass has begun a transaction and not ended it
};

}  // namespace lockkeeper::commands
