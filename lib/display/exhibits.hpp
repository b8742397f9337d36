// SPDX-License-Identifier: Apache-2.0
//
// The small translations between what the rooms below know and what people are shown: metrics,
// log lines, HTTP answers, systemd's status line. No state of its own.
#pragma once

#include <string>
#include <vector>

#include "awa/gate.hpp"
#include "display/board.hpp"
#include "display/status.hpp"
#include "http/server.hpp"
#include "leadership/election.hpp"
#include "metrics/registry.hpp"

namespace lockkeeper::display {

void show_build(metrics::Registry& registry, const std::string& version);
void show_reload(metrics::Registry& registry, bool was_successful);
void show_log(metrics::Registry& registry);
void show_election(metrics::Registry& registry, const leadership::View& view);
// What only a leader sees: nobody looks any more, so what was seen last is no fact now.
void forget_sights(metrics::Registry& registry);
void count_change(metrics::Registry& registry, const leadership::View& view);

// At election: what nobody does while this program leads.
void log_disabled(const Board& board);

// What a branch may be told to do and nobody should want: "what is wrong; what to do about it"
// each.
std::vector<std::string> unsound_settings(const branches::Branch& branch,
                                          const config::BranchSettings& own);
// At election, of all branches.
void log_unsound(const Board& board);

leadership::Why verdict_of(const awa::Examination& examination);
http::Response readiness(const Status& status);
std::string systemd_status(const leadership::View& view);

// What the board and the metrics know of a branch, without the present term.
BranchStatus record_status(const BranchRecord& record, const metrics::Registry& registry);
std::vector<RingStatus> rings_of(const metrics::Registry& registry);
// What diagnose has found that is worth a line; empty when all is well, or nobody has looked.
std::vector<std::string> findings_of(const metrics::Registry& registry);

}  // namespace lockkeeper::display
