// SPDX-License-Identifier: Apache-2.0
#include "support/pass.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "coro/task.hpp"
#include "event/loop.hpp"
#include "leadership/statements.hpp"
#include "pg/connection.hpp"

namespace lockkeeper::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLargestReply = 64 * 1024;

pg::Call plain(const std::string& text) {
  return {std::make_shared<const pg::Statement>(pg::Statement{"", text}), {}};
}

// Everything a branch keeps between passes.
struct Desk {
  Desk(branches::Turn& turn, awa::Library& library, metrics::Registry& registry,
       const branches::Branch& branch)
      : report(registry, branch.name), context(turn, library, settings, queues, report) {
    for (const auto& setting : branch.settings) {
      std::visit([&](const auto& value) { settings[std::string(setting.name)] = to_value(value); },
                 setting.standard);
    }
  }
  static branches::SettingValue to_value(bool value) { return value; }
  static branches::SettingValue to_value(std::int64_t value) { return value; }
  static branches::SettingValue to_value(time::Duration value) { return value; }
  static branches::SettingValue to_value(std::string_view value) { return std::string(value); }

  branches::SettingValues settings;
  branches::QueueSettings queues;
  branches::Report report;
  branches::BranchContext context;
};

}  // namespace

awa::Planes planes_of(const Database& database, const std::string& schema) {
  const auto row = database.sql(
      "SELECT coalesce(max(state), 'canonical'), awa.active_queue_storage_schema()"
      " FROM awa.storage_transition_state")[0];
  awa::Planes planes;
  planes.transition_state = row[0];
  if (row[1] != "NULL") planes.routed_schema = row[1];
  planes.storage_schema = schema.empty() ? planes.routed_schema.value_or("awa") : schema;
  if (database.value("SELECT to_regclass('" + awa::quote_identifier(*planes.storage_schema) +
                     ".queue_ring_state')") == "NULL") {
    planes.storage_schema.reset();
    return planes;
  }
  const auto slots = [&](const std::string& ring) {
    return std::stoll(database.value("SELECT slot_count FROM " +
                                     awa::quote_identifier(*planes.storage_schema) + "." + ring +
                                     "_ring_state"));
  };
  planes.rings = {slots("queue"), slots("lease"), slots("claim")};
  awa::Library library("awa");
  planes.is_patched = database.value(library.get(awa::Sql("gate/patch"))->text) == "t";
  return planes;
}

struct Leader::Impl final : branches::Turn {
  Impl(const Database& on, const std::string& in, const std::string& url)
      : database(on), schema(in), connection(loop), library(in) {
    pg::ConnectSettings settings;
    settings.url = url.empty() ? database.url() : url;
    settings.application_name = "lockkeeper";
    settings.connect_limit = 10s;
    settings.reply_limit = 60s;
    std::optional<std::string> failure;
    connection.connect(settings, [&](const std::string& why) { failure = why; });
    loop.run_until([&] { return failure.has_value(); }, 20s);
    if (!failure || !failure->empty()) throw std::runtime_error("cannot connect: " + *failure);
    set_up();
  }

  // As the daemon does, but that a test may take its time.
  void set_up() {
    leadership::ElectionSettings settings;
    settings.idle_limit = 10min;
    execute(leadership::set_up_leader(settings));
    execute({plain("SET statement_timeout = '10s'")});
    execute({plain("SELECT pg_advisory_lock(4708303813012965710)")});
  }

  void execute(pg::Pipeline pipeline) {
    std::optional<pg::Replies> replies;
    const auto text = pipeline.front().statement->text;
    connection.send(std::move(pipeline), [&](pg::Replies came) { replies = std::move(came); });
    loop.run_until([&] { return replies.has_value(); }, 20s);
    const bool is_well = replies && std::all_of(replies->begin(), replies->end(),
                                                [](const pg::Reply& reply) { return reply.ok(); });
    if (!is_well) throw std::runtime_error(text + " failed");
  }

  void send(pg::Pipeline pipeline, pg::OnReplies on_replies) override {
    statements += static_cast<int>(pipeline.size());
    announce(pipeline);
    if (is_taken_back) return refuse(pipeline.size(), std::move(on_replies));
    connection.send(std::move(pipeline), [this, on_replies = std::move(on_replies)](auto replies) {
      for (const auto& reply : replies) largest_reply = std::max(largest_reply, reply.rows.bytes());
      on_replies(std::move(replies));
    });
  }

  void announce(const pg::Pipeline& pipeline) const {
    if (!before_each) return;
    for (const auto& call : pipeline) {
      const auto& statement = *call.statement;
      const bool is_last = &call == &pipeline.back();
      if (is_last || !statement.name.empty())
        before_each(statement.name.empty() ? statement.text : statement.name);
    }
  }

  void refuse(std::size_t count, pg::OnReplies on_replies) {
    pg::Reply reply;
    reply.state = pg::SqlState("57014");
    loop.post([on_replies = std::move(on_replies), replies = pg::Replies(count, reply)] {
      on_replies(replies);
    });
  }

  void start_turn() {
    ++turns;
    is_taken_back = false;
    is_shielded = false;
  }

  void renew(scheduling::TurnShape shape, std::function<void()> on_granted) override {
    shapes.push_back(shape);
    start_turn();
    if (!connection.in_transaction()) return loop.post(std::move(on_granted));
    connection.send({plain("ROLLBACK")}, [on_granted](const pg::Replies&) { on_granted(); });
  }

  bool shield() override {
    is_shielded = !is_taken_back;
    return is_shielded;
  }

  Desk& desk(const branches::Branch& branch) {
    auto& place = desks[&branch];
    if (!place) place = std::make_unique<Desk>(*this, library, registry, branch);
    return *place;
  }

  Passed run(const branches::Branch& branch, time::TimePoint due) {
    auto& ctx = desk(branch).context;
    planes = planes_of(database, schema);
    const auto storage = planes.storage_schema.value_or("awa");
    if (library.schema() != storage) library = awa::Library(storage);
    ctx.set_planes(planes);
    ctx.set_declared(declared);
    ctx.set_due(due);
    const auto moved = ctx.rows_moved();
    turns = 0;
    shapes.clear();
    start_turn();
    statements = 0;
    std::optional<coro::Completion<branches::Outcome>> end;
    coro::Running<branches::Outcome> running(
        branch.run(ctx), [&](coro::Completion<branches::Outcome> how) { end = std::move(how); });
    running.start();
    if (!loop.run_until([&] { return end.has_value(); }, 60s)) {
      throw std::runtime_error(fmt::format("{} waits for {}", branch.name, ctx.waiting_for()));
    }
    if (connection.in_transaction()) execute({plain("ROLLBACK")});
    if (largest_reply > kLargestReply) {
      throw std::runtime_error(fmt::format("{}: a reply of {} bytes", branch.name, largest_reply));
    }
    if (end->failure) std::rethrow_exception(end->failure);
    return {*end->value, ctx.rows_moved() - moved};
  }

  const Database& database;
  const std::string schema;
  event::Loop loop;
  pg::Connection connection;
  awa::Library library;
  metrics::Registry registry;
  awa::Planes planes;
  std::map<const branches::Branch*, std::unique_ptr<Desk>> desks;
  std::function<void(const std::string&)> before_each;
  std::vector<config::Declaration> declared;
  bool is_taken_back = false;
  bool is_shielded = false;
  int turns = 0;
  std::vector<scheduling::TurnShape> shapes;
  int statements = 0;
  std::size_t largest_reply = 0;
};

Leader::Leader(const Database& database, const std::string& schema, const std::string& url)
    : impl_(std::make_unique<Impl>(database, schema, url)) {}
Leader::~Leader() = default;

Passed Leader::run(const branches::Branch& branch) { return impl_->run(branch, impl_->loop.now()); }

Passed Leader::run_again(const branches::Branch& branch) {
  return impl_->run(branch, impl_->desk(branch).context.due());
}

void Leader::set(const branches::Branch& branch, const std::string& setting,
                 branches::SettingValue value) {
  impl_->desk(branch).settings[setting] = std::move(value);
}

void Leader::set(const branches::Branch& branch, const std::string& queue,
                 const std::string& setting, branches::SettingValue value) {
  impl_->desk(branch).queues[queue][setting] = std::move(value);
}

void Leader::declare(std::vector<config::Declaration> declarations) {
  impl_->declared = std::move(declarations);
}

void Leader::execute(const std::string& text) { impl_->execute({plain(text)}); }

void Leader::before_each(std::function<void(const std::string& statement)> callback) {
  impl_->before_each = std::move(callback);
}

void Leader::take_back() { impl_->is_taken_back = !impl_->is_shielded; }

int Leader::turns() const { return impl_->turns; }
int Leader::statements() const { return impl_->statements; }
const std::vector<scheduling::TurnShape>& Leader::shapes() const { return impl_->shapes; }
metrics::Registry& Leader::registry() { return impl_->registry; }

}  // namespace lockkeeper::test
