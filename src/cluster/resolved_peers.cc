#include "swarmgate/cluster/resolved_peers.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "swarmgate/base/strings.h"

namespace swarmgate::cluster {
namespace {

constexpr std::size_t kLongestName = 253;

bool IsAddress(const std::string& host, int family) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(family, host.c_str(), bytes.data()) == 1;
}

bool IsHostName(std::string_view host) {
  return !host.empty() && host.size() <= kLongestName &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '-' || c == '_';
         });
}

std::string Joined(const std::string& address, std::uint16_t port) {
  const bool v6 = address.find(':') != std::string::npos;
  return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

class ResolvedPeers final : public ports::Peers {
 public:
  ResolvedPeers(std::function<std::vector<HostPort>()> names, Resolve resolve)
      : names_(std::move(names)), resolve_(std::move(resolve)) {}

  Result<std::vector<std::string>> Find(SteadyTime deadline) override {
    (void)deadline;  // the resolver has one of its own
    std::set<std::string> addresses;
    std::map<std::string, std::vector<std::string>> known;
    std::optional<Error> failed;
    for (const HostPort& name : names_()) {
      if (cancelled_) return Fail(Code::kCancelled, "cancelled");
      if (IsAddress(name.host, AF_INET) || IsAddress(name.host, AF_INET6)) {
        addresses.insert(Joined(name.host, name.port));
        continue;
      }
      auto resolved = resolve_(name.host);
      std::vector<std::string>& here = known[name.host];
      if (resolved) {
        here = *std::move(resolved);
      } else if (resolved.error().code != Code::kNotFound) {
        // One name that nobody answers for hides no other, and not what it was.
        failed = resolved.error();
        here = known_[name.host];
      }
      for (const std::string& address : here) addresses.insert(Joined(address, name.port));
    }
    known_ = std::move(known);
    if (addresses.empty() && failed) return Forward(*failed, "peers");
    return std::vector<std::string>(addresses.begin(), addresses.end());
  }

  void Cancel() override { cancelled_ = true; }

 private:
  std::function<std::vector<HostPort>()> names_;
  Resolve resolve_;
  std::map<std::string, std::vector<std::string>> known_;  ///< what names were last
  std::atomic<bool> cancelled_{false};
};

}  // namespace

Result<HostPort> ParseHostPort(std::string_view text, std::uint16_t default_port) {
  const std::string shown = Printable(text, 100);
  HostPort result{{}, default_port};
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) {
      return Fail(Code::kInvalidArgument, "'" + shown + "' lacks a ]");
    }
    result.host = std::string(text.substr(1, end - 1));
    port = text.substr(end + 1);
    if (!IsAddress(result.host, AF_INET6)) {
      return Fail(Code::kInvalidArgument, "'" + shown + "' is no IPv6 address");
    }
  } else {
    const std::size_t colon = text.find(':');
    result.host = std::string(text.substr(0, colon));
    if (colon != std::string_view::npos) port = text.substr(colon);
    if (!IsHostName(result.host)) {
      return Fail(Code::kInvalidArgument,
                  "'" + shown + "' is no host name; write host or host:port");
    }
  }
  if (port.empty()) return result;
  const auto number = port.front() == ':' ? ParseUint(port.substr(1), 65535) : std::nullopt;
  if (!number || *number == 0) {
    return Fail(Code::kInvalidArgument, "'" + shown + "' has no port from 1 to 65535");
  }
  result.port = static_cast<std::uint16_t>(*number);
  return result;
}

Result<std::vector<HostPort>> ParseHostPorts(std::string_view text, std::uint16_t default_port) {
  std::vector<HostPort> all;
  for (const std::string_view part : Split(text, ',')) {
    if (Trim(part).empty()) continue;
    auto one = ParseHostPort(Trim(part), default_port);
    if (!one) return Forward(one.error());
    all.push_back(std::move(*one));
  }
  return all;
}

std::unique_ptr<ports::Peers> MakeResolvedPeers(std::function<std::vector<HostPort>()> names,
                                                Resolve resolve) {
  return std::make_unique<ResolvedPeers>(std::move(names), std::move(resolve));
}

}  // namespace swarmgate::cluster
