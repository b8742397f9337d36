// SPDX-License-Identifier: Apache-2.0
//
// A database session as its users see it: statements go out as a pipeline, replies come back
// in one callback. pg::Connection is the real one; tests script another.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pg/reply.hpp"
#include "pg/value.hpp"

namespace lockkeeper::pg {

// Text of one statement, with the name under which a session prepares it on first use.
// A statement with an empty name is not prepared: BEGIN, COMMIT, SET, LISTEN and the like.
struct Statement {
  std::string name;
  std::string text;
};

struct Call {
  std::shared_ptr<const Statement> statement;
  std::vector<Parameter> parameters;
};

// A statement that is not prepared and takes nothing.
inline Call plain(std::string text) {
  return {std::make_shared<const Statement>(Statement{"", std::move(text)}), {}};
}

using Pipeline = std::vector<Call>;  // one Sync at its end
using Replies = std::vector<Reply>;  // one per call, same order
using OnReplies = std::function<void(Replies)>;

// One pipeline at a time: send() while one is under way is a programming error. The callback
// is called exactly once, from the loop and never from inside send(), also when the
// connection is lost (state 08006), unless the session is destroyed first.
//
// A pipeline without an explicit BEGIN is one implicit transaction. Without one, an error
// leaves nothing behind; after an explicit BEGIN it leaves an aborted transaction that the
// caller must roll back.
class Session {
 public:
  virtual ~Session() = default;
  virtual void send(Pipeline pipeline, OnReplies on_replies) = 0;

  // True while the server would report an open or aborted transaction block.
  virtual bool in_transaction() const = 0;
};

}  // namespace lockkeeper::pg
