// SPDX-License-Identifier: Apache-2.0
//
// A small HTTP server on the event loop, and the only door to GNU libmicrohttpd, which runs
// in external-epoll mode: its one descriptor is watched by the loop, no thread of its own.
// GET and HEAD only, everything else is answered with 405. At most 64 connections, 10 s each
// without progress, 8 KiB of request. Answers are made on the loop thread from memory.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "event/loop.hpp"

namespace lockkeeper::http {

struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

using Handler = std::function<Response()>;

class Server {
 public:
  // listen: "127.0.0.1:9724", "[::1]:9724", ":9724" (all addresses), "unix:/path"; port 0 takes
  // any free one. Throws ListenError if it cannot listen.
  Server(event::Loop& loop, const std::string& listen, std::map<std::string, Handler> routes);
  ~Server();

  std::string address() const;  // with the real port, as it can be typed into a browser
  bool is_loopback() const;     // or a unix socket
  bool is_present() const;      // the host has that address; if not, nobody gets in until it has

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lockkeeper::http
