// SPDX-License-Identifier: Apache-2.0
//
// Somebody who writes jobs all the while, round after round, on a thread and a session of its own.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "support/database.hpp"

namespace lockkeeper::test {

class Producer {
 public:
  // On the producer's thread; rounds are counted from zero. It ends when one throws.
  using Round = std::function<void(const Session& session, int round)>;

  // The session begins with this statement.
  Producer(const Database& database, std::string first, Round round)
      : session_(database.session()),
        first_(std::move(first)),
        round_(std::move(round)),
        thread_([this] { produce(); }) {}
  ~Producer() { stop(); }

  int rounds() const { return rounds_; }  // that are done
  bool goes_on() const { return !is_over_; }

  // Waits for its end; returns what it was refused with, or nothing.
  std::string stop() {
    is_over_ = true;
    if (thread_.joinable()) thread_.join();
    return refusal_;
  }

 private:
  void produce() try {
    session_.sql(first_);
    for (; !is_over_; ++rounds_) round_(session_, rounds_);
  } catch (const std::exception& refusal) {
    refusal_ = refusal.what();
    is_over_ = true;
  }

  Session session_;
  std::string first_;
  Round round_;
  std::atomic<int> rounds_ = 0;
  std::atomic<bool> is_over_ = false;
  std::string refusal_;
  std::thread thread_;
};

}  // namespace lockkeeper::test
