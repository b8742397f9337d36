// SPDX-License-Identifier: Apache-2.0
#include "service/worker_watch.hpp"

#include <chrono>

namespace lockkeeper::service {
namespace {

Worker worker_in(const pg::Rows& rows, std::size_t row) {
  using std::chrono::milliseconds;
  Worker worker;
  worker.id = rows.text(row, 0);
  worker.leads = rows.boolean(row, 1);
  worker.renews_in = milliseconds(rows.integer(row, 2));
  worker.renews_every = milliseconds(rows.integer(row, 3));
  return worker;
}

}  // namespace

WorkerWatch::WorkerWatch(Conductor& conductor, OnSeen on_seen)
    : conductor_(conductor), on_seen_(std::move(on_seen)) {}

void WorkerWatch::begin_pass(const scheduling::Action&) {
  pg::Pipeline pipeline;
  pipeline.push_back(pg::Call{library_.get("window/list_workers"), {}});
  conductor_.send(std::move(pipeline), [this](const pg::Replies& replies) {
    scheduling::PassEnd end;
    end.preempted = conductor_.is_taken_back();
    if (replies[0].ok()) {
      std::vector<Worker> live;
      const auto& rows = replies[0].rows;
      for (std::size_t row = 0; row < rows.size(); ++row) live.push_back(worker_in(rows, row));
      on_seen_(live);
    }
    conductor_.end_pass(duty(), end);
  });
}

}  // namespace lockkeeper::service
