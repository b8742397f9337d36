// SPDX-License-Identifier: Apache-2.0
//
// Where another thread leaves a callback for the loop, for this room only. Outlives the loop:
// what arrives after the loop has gone is dropped.
#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include "event/loop.hpp"

struct uv_async_s;

namespace lockkeeper::event {

class Mailbox {
 public:
  explicit Mailbox(uv_async_s* wake) : wake_(wake) {}

  void deliver(Callback callback);  // any thread
  std::vector<Callback> take();     // loop thread
  void close();                     // loop thread

 private:
  std::mutex mutex_;
  uv_async_s* wake_;  // null once the loop is going
  std::vector<Callback> callbacks_;
};

}  // namespace lockkeeper::event
