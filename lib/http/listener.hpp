// SPDX-License-Identifier: Apache-2.0
//
// A listening socket, TCP or unix, that goes with its owner; the file of a unix socket too.
#pragma once

#include <string>

#include "http/address.hpp"

namespace lockkeeper::http {

// Who may reach the file of a unix socket, and what the operator may change.
struct Use {
  unsigned mode;
  const char* remedy;
};
inline constexpr Use kForScrapers{0660, "change listen in [http]"};  // those of the file's group

class Listener {
 public:
  // Throws ListenError if it cannot listen. The file of a unix socket
  // that nobody serves any more is replaced; anything else in its place is left alone.
  // An address that the host does not have is listened on from when it comes.
  explicit Listener(const Address& address, const Use& use = kForScrapers);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int descriptor() const { return descriptor_; }
  const std::string& text() const { return text_; }  // with the real port
  bool is_loopback() const { return is_loopback_; }  // or a unix socket
  bool is_present() const { return is_present_; }    // the host had the address

  // The descriptor belongs to somebody else from now on; the file still goes with this object.
  void disown() { descriptor_ = -1; }

  // The file goes now. To be called before the descriptor is closed: a file that nobody serves
  // looks stale to whoever starts just then.
  void hide();

 private:
  void listen_on_file(const std::string& path, unsigned mode);
  void listen_on_port(const Address& address);
  void describe_port();

  int descriptor_ = -1;
  std::string file_;
  std::string text_;
  bool is_loopback_ = true;
  bool is_present_ = true;
};

// Throws ListenError if a Listener would not succeed now, or would have to wait for its address.
// Nothing listens meanwhile and nothing is left behind, so it is in nobody's way. True when only
// this host would reach it.
bool try_listen(const Address& address, const Use& use = kForScrapers);

}  // namespace lockkeeper::http
