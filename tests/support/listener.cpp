// SPDX-License-Identifier: Apache-2.0
#include "support/listener.hpp"

#include <stdexcept>

#include "event/loop.hpp"
#include "pg/connection.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;

struct Listener::Impl {
  event::Loop loop;
  pg::Connection connection{loop};
  Heard heard;

  void wait_for(const bool& condition) {
    if (!loop.run_until([&] { return condition; }, 10s)) throw std::runtime_error("no answer");
  }
};

Listener::Listener(const Database& database, const std::vector<std::string>& channels)
    : impl_(std::make_unique<Impl>()) {
  pg::ConnectSettings settings;
  settings.url = database.superuser_url();
  settings.connect_limit = settings.reply_limit = 10s;
  bool is_ready = false;
  impl_->connection.connect(settings, [&](const std::string&) { is_ready = true; });
  impl_->wait_for(is_ready);
  impl_->connection.set_on_notification(
      [this](const std::string& channel, const std::string& payload) {
        impl_->heard.emplace(channel, payload);
      });
  pg::Pipeline pipeline;
  for (const auto& channel : channels) {
    pipeline.push_back(
        {std::make_shared<const pg::Statement>(pg::Statement{"", "LISTEN \"" + channel + "\""}),
         {}});
  }
  bool is_listening = false;
  impl_->connection.send(std::move(pipeline), [&](const pg::Replies&) { is_listening = true; });
  impl_->wait_for(is_listening);
}

Listener::~Listener() = default;

Listener::Heard Listener::hears(std::size_t things) {
  impl_->loop.run_until([&] { return impl_->heard.size() >= things; }, 10s);
  return impl_->heard;
}

}  // namespace lockkeeper::test
