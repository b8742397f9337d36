// SPDX-License-Identifier: Apache-2.0
//
// Ends the backend that holds the maintenance lock, once and by hand: `lockkeeper takeover`.
// It takes nothing for itself; whoever asks next leads, which a standby Lockkeeper does at once
// because it is told. Another Lockkeeper is not displaced: stop that service instead. Asked only to
// look, it says who holds the lock and changes nothing.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "leadership/election.hpp"

namespace lockkeeper::leadership {

struct TakeoverResult {
  enum class Outcome {
    displaced,  // the holder's backend was told to end
    held,       // somebody holds it and was left alone: we were only asked to look
    nobody,     // no session holds the lock
    refused,    // for safety: a pooler, a replica, another Lockkeeper, a missing right
    failed,     // it could not be done
  };
  Outcome outcome = Outcome::failed;
  std::optional<Holder> holder;
  std::string sentence;  // for people, in every case
};

class TakeoverOnce {
 public:
  enum class Intent { look, displace };
  TakeoverOnce(event::Loop& loop, const ElectionSettings& settings, Intent intent,
               std::function<void(TakeoverResult)> on_done);
  ~TakeoverOnce();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace lockkeeper::leadership
