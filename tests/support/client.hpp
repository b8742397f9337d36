// SPDX-License-Identifier: Apache-2.0
//
// An HTTP client without manners: sends bytes as they are. Independent of the room under test.
// Blocking, but never for longer than a test would wait.
#pragma once

#include <string>

namespace lockkeeper::test {

// A connection to http://127.0.0.1:port/ or unix:/path, as the daemon's log names them.
class Client {
 public:
  explicit Client(const std::string& address);
  ~Client();
  Client(Client&&) noexcept;

  bool is_connected() const { return descriptor_ >= 0; }
  void send(const std::string& bytes) const;
  void end() const;             // nothing more will be sent
  std::string receive() const;  // until the server closes, or 30 s have passed without a byte

 private:
  int descriptor_;
};

// Head and body of the answer; empty when nobody answers.
std::string ask(const std::string& address, const std::string& request);

// The answer to a GET, or another method, without a body of its own.
struct Answer {
  int status = 0;  // 0: nobody answered
  std::string head;
  std::string body;
};
Answer fetch(const std::string& address, const std::string& path,
             const std::string& method = "GET");

}  // namespace lockkeeper::test
