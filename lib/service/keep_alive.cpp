// SPDX-License-Identifier: Apache-2.0
#include "service/keep_alive.hpp"

#include "metrics/names.hpp"

namespace lockkeeper::service {
namespace {

const auto kNothing = std::make_shared<const pg::Statement>(pg::Statement{"keep_alive", "SELECT"});

}  // namespace

KeepAlive::KeepAlive(event::Loop& loop, Conductor& conductor, metrics::Registry& registry)
    : loop_(loop), conductor_(conductor), registry_(registry) {}

void KeepAlive::begin_pass(const scheduling::Action&) {
  pg::Pipeline pipeline;
  pipeline.push_back(pg::Call{kNothing, {}});
  conductor_.send(std::move(pipeline), [this, sent = loop_.now()](const pg::Replies& replies) {
    if (replies.front().ok()) {
      registry_.observe(metrics::names::kDatabaseRoundTrip, {}, time::seconds(loop_.now() - sent));
    }
    conductor_.end_pass(duty(), {});
  });
}

}  // namespace lockkeeper::service
