// SPDX-License-Identifier: Apache-2.0
#include "http/server.hpp"

#include <microhttpd.h>

#include <chrono>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "http/listener.hpp"
#include "logging/log.hpp"

namespace lockkeeper::http {
namespace {

// Ample for one Prometheus and a few people; beyond it a client waits for a place.
constexpr unsigned kConnections = 64;
constexpr unsigned kIdleSeconds = 10;
constexpr std::size_t kRequestBytes = 8192;

using Answer = std::unique_ptr<MHD_Response, decltype(&MHD_destroy_response)>;

Answer make_answer(const Response& response) {
  // MHD_RESPMEM_MUST_COPY: the body goes away with this call, the client may be slow.
  auto* copied = const_cast<char*>(response.body.data());
  Answer answer(
      MHD_create_response_from_buffer(response.body.size(), copied, MHD_RESPMEM_MUST_COPY),
      &MHD_destroy_response);
  MHD_add_response_header(answer.get(), "Content-Type", response.content_type.c_str());
  MHD_add_response_header(answer.get(), "Cache-Control", "no-store");
  MHD_add_response_header(answer.get(), "X-Content-Type-Options", "nosniff");
  if (response.status == MHD_HTTP_METHOD_NOT_ALLOWED) {
    MHD_add_response_header(answer.get(), "Allow", "GET, HEAD");
  }
  return answer;
}

Response plain(int status, const char* body) {
  Response response;
  response.status = status;
  response.body = body;
  return response;
}

}  // namespace

struct Server::Impl {
  Impl(event::Loop& loop, const std::string& listen, std::map<std::string, Handler> to)
      : routes(std::move(to)),
        listener(parse_address(listen)),
        timer(loop, [this] { run(); }),
        daemon(start()),
        poller(loop, epoll_descriptor(), [this](int) { run(); }) {
    poller.watch(event::Poller::readable);
  }

  ~Impl() {
    poller.watch(event::Poller::none);
    listener.hide();
    MHD_stop_daemon(daemon);
  }

  MHD_Daemon* start() {
    auto* started = MHD_start_daemon(
        MHD_USE_EPOLL, 0, nullptr, nullptr, &Impl::on_request, this, MHD_OPTION_LISTEN_SOCKET,
        listener.descriptor(), MHD_OPTION_CONNECTION_LIMIT, kConnections,
        MHD_OPTION_CONNECTION_TIMEOUT, kIdleSeconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        kRequestBytes, MHD_OPTION_END);
    if (started == nullptr) throw std::runtime_error("the HTTP library could not be started");
    listener.disown();  // MHD_stop_daemon closes it
    return started;
  }

  int epoll_descriptor() const {
    return MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  }

  unsigned current_connections() const {
    return MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections;
  }

  void run() {
    MHD_run(daemon);
    const auto before = std::exchange(connections, current_connections());
    MHD_UNSIGNED_LONG_LONG milliseconds = 0;
    if (connections < before) {
      timer.arm_in(std::chrono::milliseconds(0));  // a full house opens again on the next run only
    } else if (MHD_get_timeout(daemon, &milliseconds) == MHD_YES) {
      timer.arm_in(std::chrono::milliseconds(milliseconds));
    } else {
      timer.disarm();
    }
  }

  Response answer(std::string_view method, const std::string& path) const {
    if (method != MHD_HTTP_METHOD_GET && method != MHD_HTTP_METHOD_HEAD) {
      return plain(MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD only\n");
    }
    const auto route = routes.find(path);
    if (route == routes.end()) return plain(MHD_HTTP_NOT_FOUND, "not found\n");
    try {
      return route->second();
    } catch (const std::exception& error) {
      logging::error("an HTTP answer could not be made",
                     {{"path", path}, {"reason", error.what()}});
      return plain(MHD_HTTP_INTERNAL_SERVER_ERROR, "internal error\n");
    }
  }

  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* path,
                               const char* method, const char*, const char*, std::size_t*, void**) {
    const auto response = static_cast<const Impl*>(self)->answer(method, path);
    const auto answer = make_answer(response);
    return MHD_queue_response(connection, static_cast<unsigned>(response.status), answer.get());
  }

  std::map<std::string, Handler> routes;
  Listener listener;
  event::Timer timer;
  MHD_Daemon* daemon;
  unsigned connections = 0;
  event::Poller poller;
};

Server::Server(event::Loop& loop, const std::string& listen, std::map<std::string, Handler> routes)
    : impl_(std::make_unique<Impl>(loop, listen, std::move(routes))) {}

Server::~Server() = default;

std::string Server::address() const { return impl_->listener.text(); }

bool Server::is_loopback() const { return impl_->listener.is_loopback(); }
bool Server::is_present() const { return impl_->listener.is_present(); }

}  // namespace lockkeeper::http
