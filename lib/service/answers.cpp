// SPDX-License-Identifier: Apache-2.0
//
// What the running daemon says of itself, over HTTP and to its own parts; from memory alone.
#include <algorithm>

#include "display/exhibits.hpp"
#include "display/page.hpp"
#include "service/service.hpp"

namespace lockkeeper::service {

std::map<std::string, http::Handler> Service::routes() {
  using http::Response;
  return {
      {"/metrics",
       [this] {
         display::show_log(registry_);
         return Response{200, "text/plain; version=0.0.4; charset=utf-8", registry_.render()};
       }},
      {"/livez",
       [] {
         return Response{200, "text/plain; charset=utf-8", "ok\n"};
       }},
      {"/readyz", [this] { return display::readiness(status()); }},
      {display::kJsonStatusPath,
       [this] {
         return Response{200, "application/json", to_json(status())};
       }},
      {display::kPlainStatusPath,
       [this] {
         return Response{200, "text/plain; charset=utf-8", to_text(status(), display::Paint::none)};
       }},
      {display::kColouredStatusPath,
       [this] {
         return Response{200, "text/plain; charset=utf-8",
                         to_text(status(), display::Paint::colours)};
       }},
      {"/",
       [] {
         return Response{200, "text/html; charset=utf-8", std::string(display::page())};
       }},
  };
}

display::Status Service::status() const {
  display::Status status;
  status.version = version_;
  status.election = election_.view();
  status.in_state_for = loop_.now() - status.election.since;
  if (term_) {
    status.unusable = term_->unusable();
    for (const auto& [branch, why] : term_->found().unable) {
      status.unable.push_back(branch + " cannot work: " + why);
    }
    status.advice = term_->found().advice;
  }
  for (const auto& record : board_.records()) status.branches.push_back(status_of(record));
  status.rings = display::rings_of(registry_);
  status.findings = display::findings_of(registry_);
  return status;
}

display::BranchStatus Service::status_of(const display::BranchRecord& record) const {
  auto status = display::record_status(record, registry_);
  const auto view = term_ ? term_->view(record) : std::nullopt;
  if (!view) return status;
  status.next_due_in = view->duty.next_due - loop_.now();
  status.is_running = view->duty.is_running;
  status.waiting_for = view->waiting_for;
  if (view->duty.waiting_since) status.waiting = loop_.now() - *view->duty.waiting_since;
  return status;
}

bool Service::is_window_forbidden() const {
  const auto now = status();
  return std::any_of(now.branches.begin(), now.branches.end(), forbids_window);
}

}  // namespace lockkeeper::service
