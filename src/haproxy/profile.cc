#include "haproxy/profile.h"

#include <algorithm>
#include <functional>

#include "haproxy/digest.h"
#include "haproxy/policy.h"
#include "haproxy/quote.h"
#include "haproxy/slots.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::haproxy {
namespace {

std::string HeaderLine(const model::HeaderRule& rule) {
  using Action = model::HeaderRule::Action;
  std::string line = rule.response ? "http-response " : "http-request ";
  line += rule.action == Action::kAdd   ? "add-header "
          : rule.action == Action::kSet ? "set-header "
                                        : "del-header ";
  line += Quote(rule.name);
  if (rule.action != Action::kDelete) line += " " + Quote(rule.format);
  // A condition of the closed list is words of the language itself.
  if (!rule.condition.empty()) line += " " + rule.condition;
  return line;
}

using Add = std::function<void(const std::string&)>;

/// A line holds at most 64 words.
void AddNetworks(const std::string& name, const std::vector<std::string>& networks,
                 const Add& add) {
  constexpr std::size_t kPerLine = 32;
  for (std::size_t first = 0; first < networks.size(); first += kPerLine) {
    std::string line = "acl " + name + " src";
    for (std::size_t i = first; i < std::min(networks.size(), first + kPerLine); ++i) {
      line += " " + Quote(networks[i]);
    }
    add(line);
  }
}

void AddAddressLists(const model::Profile& profile, const Add& add) {
  AddNetworks("sg_denied", profile.deny_from, add);
  AddNetworks("sg_allowed", profile.allow_from, add);
  if (!profile.deny_from.empty()) add("http-request deny deny_status 403 if sg_denied");
  if (!profile.allow_from.empty()) add("http-request deny deny_status 403 unless sg_allowed");
}

/// Lines that ask for one of the users. The list is named by all that the profile says, so that
/// each class has its own: HAProxy adds the users of a list whose name is there already to the list
/// that came last.
std::string AskForUsers(const model::Profile& profile, model::BackendKind kind,
                        const std::string& other_lines, std::string& head) {
  if (profile.encrypted_users.empty()) return "";
  std::string users;
  for (const model::Credential& user : profile.encrypted_users) {
    users += "  user " + Quote(user.user) + " password " + Quote(user.password) + "\n";
  }
  const std::string name = std::string("sg_users_") + KindName(kind) + "_" +
                           ToLower(Sha256Hex(users + other_lines)).substr(0, 16);
  head += "userlist " + name + "\n" + users;
  return "  " + Unauthorized() + " unless { http_auth(" + name + ") }\n" +
         "  http-request del-header Authorization\n";
}

}  // namespace

ProfileText RenderProfile(const model::Profile& profile, model::BackendKind kind) {
  const auto adder = [](std::string& lines) {
    return [&lines](const std::string& line) { lines += "  " + line + "\n"; };
  };
  std::string addresses;
  AddAddressLists(profile, adder(addresses));
  ProfileText text;
  const Add add = adder(text.lines);
  for (const model::HeaderRule& rule : profile.headers) add(HeaderLine(rule));
  // Behind the addresses, because a hash costs much; before all else.
  const std::string users = AskForUsers(profile, kind, addresses + text.lines, text.head);
  text.lines = addresses + users + text.lines;
  return text;
}

}  // namespace swarmgate::haproxy
