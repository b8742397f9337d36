// SPDX-License-Identifier: Apache-2.0
//
// Tells when the same piece of work has been cut short so often in a row that it will never fit
// between two turns of the slo lane. Pure.
#pragma once

#include <utility>

namespace lockkeeper::branches {

template <typename Piece>
class CutShort {
 public:
  // It was cut short. True if that is often enough.
  bool again(Piece piece) {
    times_ = piece == piece_ ? times_ + 1 : 1;
    piece_ = std::move(piece);
    return times_ >= kOften;
  }

 private:
  static constexpr int kOften = 8;

  Piece piece_{};
  int times_ = 0;
};

}  // namespace lockkeeper::branches
