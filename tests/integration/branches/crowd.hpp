// SPDX-License-Identifier: Apache-2.0
//
// Everybody else in a database: producers, workers and operators, who act at random, each as
// Awa's own would, in a session that gives up soon where it would have to wait.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "support/database.hpp"

namespace lockkeeper::test {

class Crowd {
 public:
  // Makes the functions public.worker_… and its queues, for which a Checker has made its views.
  Crowd(const Database& database, std::uint64_t seed);

  // One of them does one thing, or is refused; says what.
  std::string act();

  // Whoever holds a lock lets go.
  void let_go();

  std::int64_t pick(std::int64_t from, std::int64_t to);

 private:
  std::string produce();
  std::string produce_canonical();
  std::string claim();
  std::string exit();
  std::string beat();
  std::string materialise();
  std::string die();
  std::string operate();
  std::string rotate();
  std::string hold();

  std::vector<Row> attempt(const std::string& text) const;  // being refused is an answer
  void take_hold(const std::string& text);                  // in a transaction, unless refused
  std::string queue() { return "queue" + std::to_string(pick(0, 2)); }
  std::string unique(char plane);
  std::string some_attempt();  // "job, run_lease" of one that lives, or ""

  const Database& database_;
  Session session_;
  std::optional<Session> holder_;
  std::mt19937_64 random_;
};

}  // namespace lockkeeper::test
