// SPDX-License-Identifier: Apache-2.0
#include "branches/fault.hpp"

#include "branches/context.hpp"

namespace lockkeeper::branches {

Fault fault_of(const pg::SqlState& state) {
  if (state.is_lock_not_available() || state.is_retryable() || state.is_cancelled()) {
    return Fault::contention;
  }
  // The lock table is full, or a kept plan does not fit any more.
  if (state.is("53200") || state.is("0A000") || state.is("26000")) return Fault::contention;
  for (const auto* two : {"25", "3D", "3F", "42", "53", "57", "58"}) {
    if (state.is_class(two)) return Fault::plane;
  }
  return Fault::row;
}

pg::Error contained(const pg::Error& error) {
  if (error.state().is_connection_lost() || fault_of(error.state()) == Fault::plane) throw;
  return error;
}

bool is_taken_back(BranchContext& ctx, const pg::Error& error) {
  return error.state().is_cancelled() && !ctx.turn().shield();
}

coro::Task<bool> separately(BranchContext& ctx, coro::Task<bool> part,
                            std::exception_ptr& failure) {
  try {
    co_return co_await part;
  } catch (const pg::Error& error) {
    if (is_taken_back(ctx, error) || error.state().is_connection_lost()) throw;
    if (!failure) failure = std::current_exception();
  }
  co_return false;
}

}  // namespace lockkeeper::branches
