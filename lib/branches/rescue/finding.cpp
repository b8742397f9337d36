// SPDX-License-Identifier: Apache-2.0
#include "branches/rescue/rescue.hpp"

namespace lockkeeper::branches {
namespace {

// The places of those that are set, counted from one.
Numbers places(const Numbers& flags) {
  Numbers set;
  for (std::size_t index = 0; index < flags.size(); ++index) {
    if (flags[index] != 0) set.push_back(static_cast<std::int64_t>(index) + 1);
  }
  return set;
}

Window read_window(const pg::Rows& rows, const Cursor& begin, bool is_ledger) {
  Window window;
  window.end = begin;
  window.has_more = rows.boolean(0, 0);
  if (!rows.is_null(0, 2)) {
    window.end.at = rows.text(0, 1);
    window.end.first = rows.integer(0, 2);
    window.end.second = rows.integer(0, 3);
  }
  window.open.slots = numbers(rows, 4);
  window.open.batches = numbers(rows, 5);
  window.open.jobs = numbers(rows, 6);
  window.open.run_leases = numbers(rows, 7);
  window.candidates = is_ledger ? window.open.at(places(numbers(rows, 8))) : window.open;
  return window;
}

}  // namespace

Numbers numbers(const pg::Rows& rows, std::size_t column) {
  return rows.is_null(0, column) ? Numbers() : rows.integers(0, column);
}

Task<Window> find(RescuePass& pass, AttemptSource source, Cursor begin) {
  const auto& limit = pass.terms.limit;
  if (!source.is_ledger) {
    const auto rows =
        co_await pass.ctx.query(source.find, limit, begin.at, begin.first, begin.second);
    co_return read_window(rows, begin, false);
  }
  const auto rows = co_await pass.ctx.query(source.find, limit, begin.at, begin.first, begin.second,
                                            std::nullopt, std::nullopt, std::nullopt, std::nullopt);
  co_return read_window(rows, begin, true);
}

Task<Window> find_again(RescuePass& pass, AttemptSource source, Candidates these) {
  const Cursor nowhere;
  const auto rows = co_await pass.ctx.query(source.find, pass.terms.limit, nowhere.at,
                                            nowhere.first, nowhere.second, these.slots,
                                            these.batches, these.jobs, these.run_leases);
  co_return read_window(rows, nowhere, true);
}

}  // namespace lockkeeper::branches
