// SPDX-License-Identifier: Apache-2.0
#include "commands/rehearsal.hpp"

#include <algorithm>
#include <utility>

namespace lockkeeper::commands {
namespace {

constexpr auto kBegin = "BEGIN";
constexpr auto kOpen = "SAVEPOINT rehearsal";
constexpr auto kKeep = "RELEASE SAVEPOINT rehearsal";
constexpr auto kForget = "ROLLBACK TO SAVEPOINT rehearsal";

bool is(const pg::Call& call, std::string_view text) {
  return call.statement->name.empty() && call.statement->text == text;
}

}  // namespace

void Rehearsal::Script::add(const pg::Call& call) {
  asked.push_back(pipeline.size());
  pipeline.push_back(call);
}

void Rehearsal::Script::add_unasked(const char* text) { pipeline.push_back(pg::plain(text)); }

Rehearsal::Script Rehearsal::script_of(const pg::Pipeline& pipeline) {
  Script script;
  if (!session_.in_transaction()) script.add_unasked(kBegin);
  script.is_alone = !has_savepoint_ && !is(pipeline.front(), "BEGIN");
  if (script.is_alone) script.add_unasked(kOpen);
  for (const auto& call : pipeline) {
    if (is(call, "BEGIN")) {
      script.add(pg::plain(kOpen));
      has_savepoint_ = true;
    } else if (is(call, "COMMIT")) {
      script.add(pg::plain(kKeep));
      has_savepoint_ = false;
    } else if (is(call, "ROLLBACK")) {
      script.add(pg::plain(kForget));
      script.add_unasked(kKeep);
      has_savepoint_ = false;
    } else {
      script.add(call);
    }
  }
  if (script.is_alone) script.add_unasked(kKeep);
  return script;
}

void Rehearsal::send(pg::Pipeline pipeline, pg::OnReplies on_replies) {
  auto script = script_of(pipeline);
  auto sent = std::move(script.pipeline);
  session_.send(std::move(sent),
                [this, script = std::move(script), then = std::move(on_replies)](
                    pg::Replies replies) { answer(script, std::move(replies), then); });
}

// A statement that fails outside a transaction leaves nothing behind; here its savepoint must go.
void Rehearsal::answer(const Script& script, pg::Replies replies, const pg::OnReplies& then) {
  const bool has_failed =
      std::any_of(replies.begin(), replies.end(), [](const auto& reply) { return !reply.ok(); });
  pg::Replies asked;
  for (const auto place : script.asked) asked.push_back(std::move(replies[place]));
  // A commit that was refused ends the transaction all the same.
  const bool must_forget = has_failed && (script.is_alone || !has_savepoint_);
  if (!must_forget) return then(std::move(asked));
  session_.send({pg::plain(kForget), pg::plain(kKeep)},
                [asked = std::move(asked), then](const pg::Replies&) { then(asked); });
}

void Rehearsal::undo(std::function<void()> on_done) {
  has_savepoint_ = false;
  session_.send({pg::plain("ROLLBACK")},
                [on_done = std::move(on_done)](const pg::Replies&) { on_done(); });
}

}  // namespace lockkeeper::commands
