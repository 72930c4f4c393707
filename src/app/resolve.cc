#include "app/resolve.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "swarmgate/base/strings.h"

namespace swarmgate::app {
namespace {

constexpr std::size_t kMostAddresses = 1000;

std::vector<std::string> AddressesOf(const addrinfo* list, int family) {
  std::vector<std::string> addresses;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family != family || addresses.size() >= kMostAddresses) continue;
    std::array<char, NI_MAXHOST> text{};
    if (getnameinfo(entry->ai_addr, entry->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) != 0) {
      continue;
    }
    const std::string address(text.data());
    // A link-local address with its zone ("fe80::1%eth0") means nothing to HAProxy.
    if (address.find('%') == std::string::npos) addresses.push_back(address);
  }
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  return addresses;
}

}  // namespace

void LimitResolver() { setenv("RES_OPTIONS", "timeout:1 attempts:2", 0); }

Result<std::vector<std::string>> ResolveName(const std::string& name) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int result = getaddrinfo(name.c_str(), nullptr, &hints, &found);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  if (result == EAI_NONAME || result == EAI_NODATA) {
    return Fail(Code::kNotFound, "the name " + Printable(name, 120) + " does not resolve");
  }
  if (result != 0) {
    return Fail(Code::kUnavailable,
                "resolving " + Printable(name, 120) + ": " + gai_strerror(result));
  }
  std::vector<std::string> addresses = AddressesOf(found, AF_INET);
  // One host with both kinds of address would otherwise count as two servers.
  if (addresses.empty()) addresses = AddressesOf(found, AF_INET6);
  if (addresses.empty()) {
    return Fail(Code::kNotFound, "the name " + Printable(name, 120) + " has no address");
  }
  return addresses;
}

}  // namespace swarmgate::app
