// SPDX-License-Identifier: Apache-2.0
#include "service/control_socket.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "display/exit_codes.hpp"
#include "logging/log.hpp"

namespace lockkeeper::service {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostClients = 8;
constexpr std::size_t kLongestLine = 200;
constexpr auto kAcceptAgain = 1s;
constexpr auto kPatience = 5s;     // with a client that says nothing
constexpr auto kQuickAnswer = 2s;  // of a daemon that is only asked whether it is there

bool may_ask(int descriptor) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == 0 || peer.uid == ::geteuid();
}

// The answer is short enough for the socket's buffer.
void write(int descriptor, const Answer& answer) {
  const auto text = fmt::format("{} {}\n", answer.code, answer.sentence);
  if (::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL) < 0) {
    logging::debug("nobody waits any more for what the control socket was asked");
  }
}

// Until the other side closes, or says nothing for the socket's own limit.
std::string read_to_end(int descriptor) {
  std::string text;
  std::array<char, 512> piece{};
  ssize_t got = 0;
  while ((got = ::read(descriptor, piece.data(), piece.size())) > 0) {
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

// Its callbacks end with it.
struct ControlSocket::Client : std::enable_shared_from_this<Client> {
  Client(ControlSocket& owner, int accepted)
      : descriptor(accepted),
        poller(owner.loop_, accepted, [this, &owner](int) { owner.read(*this); }),
        patience(owner.loop_, [this, &owner] {
          owner.answer(*this, {display::kBadUsage, "no line came"});
        }) {
    poller.watch(event::Poller::readable);
    patience.arm_in(kPatience);
  }
  ~Client() { ::close(descriptor); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void be_quiet() {
    poller.watch(event::Poller::none);
    patience.disarm();
  }

  int descriptor;
  event::Poller poller;
  event::Timer patience;
  std::string line;
};

ControlSocket::ControlSocket(event::Loop& loop, const std::string& path, Handler handler)
    : loop_(loop),
      listener_(http::Address{path, {}, 0}, kForOwner),
      handler_(std::move(handler)),
      poller_(loop, listener_.descriptor(), [this](int) { accept(); }),
      accept_again_(loop, [this] { poller_.watch(event::Poller::readable); }) {
  poller_.watch(event::Poller::readable);
}

ControlSocket::~ControlSocket() = default;

void ControlSocket::accept() {
  int descriptor = 0;
  while ((descriptor = ::accept4(listener_.descriptor(), nullptr, nullptr,
                                 SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
    admit(descriptor);
  }
  if (errno == EAGAIN) return;
  // Too many files are open. Whoever waits stays, and would make the loop turn all the time.
  poller_.watch(event::Poller::none);
  accept_again_.arm_in(kAcceptAgain);
}

void ControlSocket::admit(int descriptor) {
  Answer refusal{display::kRefused,
                 "only the daemon's own user and root are heard here, a few at a time"};
  if (may_ask(descriptor) && clients_.size() < kMostClients) {
    try {
      clients_.push_back(std::make_shared<Client>(*this, descriptor));
      return;
    } catch (const std::runtime_error& error) {  // of its timer
      refusal = {display::kFailed, error.what()};
    }
  }
  write(descriptor, refusal);
  ::close(descriptor);
}

void ControlSocket::read(Client& client) {
  std::array<char, kLongestLine> piece{};
  const auto got = ::read(client.descriptor, piece.data(), piece.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got > 0) client.line.append(piece.data(), static_cast<std::size_t>(got));
  const auto end = client.line.find('\n');
  if (end == std::string::npos) {
    if (got > 0 && client.line.size() < kLongestLine) return;
    return answer(client, {display::kBadUsage, "a line of at most 200 bytes is needed"});
  }
  client.be_quiet();
  handler_(client.line.substr(0, end), [this, weak = client.weak_from_this()](const Answer& came) {
    if (const auto asker = weak.lock()) answer(*asker, came);
  });
}

// The client goes on a fresh stack: this may be its own callback.
void ControlSocket::answer(Client& client, const Answer& answer) {
  write(client.descriptor, answer);
  client.be_quiet();
  auto gone = client.shared_from_this();
  clients_.remove(gone);
  loop_.post([gone = std::move(gone)] {});
}

namespace {

constexpr auto kSilence = "the daemon has ended before it could answer";

// A limit of 0 is none: for as long as the daemon lives.
Answer ask(const std::string& line, const std::string& path, std::chrono::seconds limit) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return {display::kBadUsage, path + ": the path is too long"};
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{limit.count(), 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience,
               sizeof patience);  // of connect() too
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const auto why = std::string(std::strerror(errno));
    const bool is_forbidden = errno == EACCES;
    ::close(descriptor);
    if (is_forbidden) {
      return {display::kRefused, fmt::format("{} is open to root and the daemon's own user only; "
                                             "run it as one of them",
                                             path)};
    }
    return {display::kFailed, fmt::format("no daemon is heard at {} ({})", path, why)};
  }
  const auto text = line + "\n";
  const bool is_sent = ::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL) ==
                       static_cast<ssize_t>(text.size());
  const auto came = is_sent ? read_to_end(descriptor) : std::string();
  ::close(descriptor);
  if (came.size() < 3 || came.back() != '\n') {
    return {display::kFailed, kSilence};
  }
  return {came[0] - '0', came.substr(2, came.size() - 3)};
}

}  // namespace

Answer ask_daemon_to(const std::string& line, const std::string& path) {
  return ask(line, path, 0s);
}

Heard listen_at(const std::string& path) {
  const auto answer = ask("hello", path, kQuickAnswer);
  if (answer.sentence == kVocabulary) return Heard::daemon;
  return answer.sentence == kSilence ? Heard::silence : Heard::nothing;
}

}  // namespace lockkeeper::service
