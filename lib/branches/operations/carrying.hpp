// SPDX-License-Identifier: Apache-2.0
//
// Carries on one batch operation in one pass; see operation.hpp.
#pragma once

#include "branches/bisection.hpp"
#include "branches/operations/operation.hpp"

namespace lockkeeper::branches {

// Rows that are looked at with one statement: so many keys and numbers fit in a reply of 64 kB.
inline constexpr std::int64_t kOperationWindow = 1000;

// Of a window: the last place that was looked at; any if there was nothing to look at.
inline std::int64_t last_of(const pg::Rows& window) {
  return window.is_null(0, 1) ? 0 : window.integer(0, 1);
}

class Carrying {
 public:
  Carrying(OperationsPass& pass, std::string id, Operation& operation)
      : pass_(pass), ctx_(pass.ctx), id_(std::move(id)), operation_(operation) {}

  Task<Progress> run();
  Task<bool> fail(std::string why);

 private:
  using Numbers = std::vector<std::int64_t>;

  // What became of one transaction.
  struct Attempt {
    std::int64_t done = 0;
    std::int64_t left = 0;  // in somebody's hands
    bool lacks_lane = false;
    std::optional<pg::Error> refusal;
  };

  std::string_view plane() const;
  bool is_stopped() const { return progress_.has_value(); }
  void stop(Progress progress) { progress_ = progress; }
  bool is_time_up() const;
  void start_walk();

  Task<bool> hold(Transaction& tx);
  Task<bool> step();
  Task<bool> begin();
  Task<bool> skip();

  Task<bool> name();
  Task<bool> add(Numbers jobs);
  Task<bool> end_naming();
  Task<bool> find_lanes();

  Task<bool> change();
  Task<bool> change_jobs();
  Task<bool> change_lane();
  Task<bool> end_walk();
  Task<bool> change_rows(Numbers jobs, Numbers numbers);
  Task<bool> change_batch(Numbers jobs, Numbers numbers);
  Task<Attempt> attempt(Numbers jobs, Numbers numbers);
  Task<bool> attempt_jobs(Attempt& attempt, Numbers jobs);
  Task<bool> attempt_lane(Attempt& attempt, Numbers numbers);
  Task<bool> make_lane();
  Task<bool> pass_entombed();
  Task<bool> record(std::int64_t job, std::string why);

  OperationsPass& pass_;
  BranchContext& ctx_;
  std::string id_;
  Operation& operation_;
  std::string state_;  // of the operation, as it was held last
  std::optional<Progress> progress_;
};

}  // namespace lockkeeper::branches
