// SPDX-License-Identifier: Apache-2.0
//
// Counts the claims of a slot that holds too many of them for one statement: window by window,
// without a lock, slot by slot of the claim ring. Where as many claims are closed as there are, all
// of them are for good, so a slot of the claim ring is done then; where not, the count begins there
// again the next time. Goes on in the next pass where one was taken back.
#pragma once

#include <string>
#include <vector>

#include "branches/branch.hpp"
#include "scheduling/pace.hpp"

namespace lockkeeper::branches {

// Which claims: those of a slot of the queue ring, or all of some slots of the claim ring.
struct ClaimsAsked {
  std::optional<std::int64_t> ready_slot;
  std::int64_t ready_generation = 0;
  std::int64_t last_slot = 0;  // of the claim ring
};

class ClaimCount {
 public:
  explicit ClaimCount(std::int64_t first_slot = 0) : slot_(first_slot) {}

  // True when all are closed.
  Task<bool> run(BranchContext& ctx, ClaimsAsked asked);

 private:
  Task<bool> look(BranchContext& ctx, ClaimsAsked asked);
  bool end_slot();

  std::int64_t slot_;  // of the claim ring
  std::size_t table_ = 0;
  std::vector<std::string> place_;  // behind which the next window begins; empty for the start
  std::int64_t claims_ = 0;         // in this slot
  std::int64_t closures_ = 0;
  scheduling::Pace window_{100, 10'000, std::chrono::milliseconds(20)};
};

}  // namespace lockkeeper::branches
