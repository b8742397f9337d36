// SPDX-License-Identifier: Apache-2.0
//
// How commands change a running daemon: a unix socket of its own, one line in, one line out.
//
// Only the daemon's own user and root are heard; the file belongs to its user alone (0600). A line
// is a word and what it needs, a blank between; the answer is an exit code and a sentence, and may
// take as long as what was asked for. Loop thread only, but for ask_daemon_to().
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "event/loop.hpp"
#include "http/listener.hpp"

namespace lockkeeper::service {

inline constexpr http::Use kForOwner{0600, "change socket in [control]"};

// The answer to a line that is none of these.
inline constexpr auto kVocabulary = "this version of the daemon understands: yield MILLISECONDS";

struct Answer {
  int code = 0;
  std::string sentence;
};

class ControlSocket {
 public:
  using OnAnswer = std::function<void(Answer)>;
  using Handler = std::function<void(const std::string& line, OnAnswer on_answer)>;

  // Throws http::ListenError.
  ControlSocket(event::Loop& loop, const std::string& path, Handler handler);
  ~ControlSocket();
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

 private:
  struct Client;
  void accept();
  void admit(int descriptor);
  void read(Client& client);
  void answer(Client& client, const Answer& answer);

  event::Loop& loop_;
  http::Listener listener_;
  Handler handler_;
  event::Poller poller_;
  event::Timer accept_again_;
  std::list<std::shared_ptr<Client>> clients_;
};

// Asks the daemon behind that socket, and waits for its answer for as long as it lives. Blocking.
Answer ask_daemon_to(const std::string& line, const std::string& path);

// Who serves that socket: a Lockkeeper that hears this user, somebody who is silent, or none of
// these. Blocking, two seconds at most.
enum class Heard { daemon, silence, nothing };
Heard listen_at(const std::string& path);

}  // namespace lockkeeper::service
