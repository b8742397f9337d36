// SPDX-License-Identifier: Apache-2.0
//
// Every branch, one row each; slo lane first. A row without its file is a link error.
#pragma once

#include <span>

#include "branches/branch.hpp"

namespace lockkeeper::branches {

#define LOCKKEEPER_BRANCHES(ROW)      \
  ROW(promote_scheduled)              \
  ROW(rescue_stale_heartbeats)        \
  ROW(rescue_expired_deadlines)       \
  ROW(rescue_expired_callbacks)       \
  ROW(cron_eval)                      \
  ROW(rotate_queue)                   \
  ROW(rotate_lease)                   \
  ROW(rotate_claim)                   \
  ROW(cleanup)                        \
  ROW(batch_operations)               \
  ROW(cron_sync)                      \
  ROW(priority_aging)                 \
  ROW(recompute_dirty_admin_metadata) \
  ROW(refresh_admin_metadata)         \
  ROW(queue_stats)                    \
  ROW(terminal_count_rollup)          \
  ROW(registration)                   \
  ROW(observe)                        \
  ROW(diagnose)

#define LOCKKEEPER_DECLARE(word) extern const Branch word;
LOCKKEEPER_BRANCHES(LOCKKEEPER_DECLARE)
#undef LOCKKEEPER_DECLARE

std::span<const Branch* const> catalog();

// The branch of that name, or null.
const Branch* find_branch(std::string_view name);

}  // namespace lockkeeper::branches
