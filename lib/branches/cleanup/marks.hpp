// SPDX-License-Identifier: Apache-2.0
//
// Marks of changed queues and kinds. Every canonical statement leaves some; while queue storage is
// routed no leader of Awa takes them away, and with the schema patch they are rows without end.
#pragma once

#include "branches/cleanup/sweep.hpp"

namespace lockkeeper::branches {

// One recount reads all jobs of its queues and kinds.
inline constexpr time::Duration kRecountTarget = std::chrono::milliseconds(100);

struct MarksMemory {
  scheduling::Pace pace{1, 10, kRecountTarget};
};

// While queue storage is routed: first all but one mark of each queue and kind in windows of their
// tables, then, by Awa's own function, the counts that the rest stand for, so that an abort of
// the transition finds them right. Nothing without marks, or without the schema patch. True when
// there is more.
Task<bool> drain_marks(Removal& removal, MarksMemory& memory);

}  // namespace lockkeeper::branches
