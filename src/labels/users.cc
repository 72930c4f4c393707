#include "labels/users.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "labels/values.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::labels {
namespace {

using model::Credential;

constexpr std::size_t kMaxUsers = 256;
constexpr std::size_t kMaxUserName = 128;
constexpr std::size_t kMaxPassword = 512;
constexpr std::string_view kHint =
    "Write user:password items divided by commas; a comma in a password is written \\,";

bool IsCryptText(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '/';
  });
}

/// Takes what stands before the next '$' out of the text.
std::string_view NextPart(std::string_view& text) {
  const std::size_t end = text.find('$');
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

constexpr const char* kNoHash = "is no hash that crypt(3) knows";
constexpr const char* kCostlyHash = "is a hash that takes so long that it would stop the proxy";

/// Empty when HAProxy can compare with the hash, in bearable time: it does so for every request,
/// and the others wait.
std::string WhyNotHash(std::string_view hash) {
  constexpr std::uint64_t kMostRounds = 10'000;
  constexpr std::uint64_t kMostBcrypt = 10;
  if (!hash.starts_with('$')) return hash.size() == 13 && IsCryptText(hash) ? "" : kNoHash;
  std::string_view rest = hash.substr(1);
  const std::string_view id = NextPart(rest);
  const auto tail = [&rest](std::size_t salt_limit, std::size_t length) {
    const std::string_view salt = NextPart(rest);
    return salt.size() <= salt_limit && IsCryptText(salt) && rest.size() == length &&
           IsCryptText(rest);
  };
  if (id == "1") return tail(8, 22) ? "" : kNoHash;
  if (id == "5" || id == "6") {
    if (rest.starts_with("rounds=")) {
      const auto rounds = ParseUint(NextPart(rest).substr(7), 999'999'999);
      if (!rounds) return kNoHash;
      if (*rounds > kMostRounds) return kCostlyHash;
    }
    return tail(16, id == "5" ? 43 : 86) ? "" : kNoHash;
  }
  if (id == "2a" || id == "2b" || id == "2y") {
    std::string_view digits = NextPart(rest);
    if (digits.size() != 2 || rest.size() != 53 || !IsCryptText(rest)) return kNoHash;
    if (digits.front() == '0') digits.remove_prefix(1);
    const auto cost = ParseUint(digits, 31);
    if (!cost) return kNoHash;
    return *cost > kMostBcrypt ? kCostlyHash : "";
  }
  return kNoHash;
}

struct Users {
  std::vector<Credential> list;
  std::string problem;  ///< shows nothing of the list
};

std::string ItemName(std::size_t number) { return "item " + std::to_string(number) + " "; }

/// What is wrong with the item, or nothing. What was taken for a name may be a part of a password.
std::string WhyNotUser(const Credential& user, bool has_password, bool names_alone) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (user.user.empty()) return "has no user name";
  if (user.user.size() > kMaxUserName) return "has a user name of more than 128 bytes";
  if (std::any_of(user.user.begin(), user.user.end(), control) ||
      std::any_of(user.password.begin(), user.password.end(), control)) {
    return "contains a control character";
  }
  if (!has_password) return names_alone ? "" : "has no password";
  if (user.password.empty()) return "has an empty password";
  if (user.password.size() > kMaxPassword) return "has a password of more than 512 bytes";
  return user.encrypted ? WhyNotHash(user.password) : "";
}

Users ReadUsers(std::string_view text, bool encrypted, bool names_alone) {
  Users users;
  std::size_t number = 0;
  for (const std::string_view line : Split(text, '\n')) {
    for (const std::string& item : SplitEscaped(line, ',')) {
      if (item.empty()) continue;
      ++number;
      const std::size_t colon = item.find(':');
      const bool has_password = colon != std::string::npos;
      Credential user{item.substr(0, colon), has_password ? item.substr(colon + 1) : "", encrypted};
      std::string problem = WhyNotUser(user, has_password, names_alone);
      const bool twice = std::any_of(users.list.begin(), users.list.end(),
                                     [&](const auto& other) { return other.user == user.user; });
      if (problem.empty() && twice) problem = "has the name of an item before it";
      if (problem.empty() && users.list.size() == kMaxUsers) problem = "is one more than 256";
      if (!problem.empty()) return {{}, ItemName(number) + problem};
      users.list.push_back(std::move(user));
    }
  }
  if (users.list.empty()) users.problem = "there is no user in it";
  return users;
}

const Credential* FindByName(const std::vector<Credential>& users, const std::string& name) {
  const Credential* found = nullptr;
  for (const Credential& user : users) {
    if (user.user == name) return &user;
    if (found == nullptr && ToLower(user.user) == ToLower(name)) found = &user;
  }
  return found;
}

class Finder {
 public:
  Finder(const AccessDraft& access, const ParseOptions& options, const AboutParameter& about,
         Report& report)
      : access_(access), options_(options), about_(about), report_(report) {}

  /// Nothing after a problem, which was told.
  std::vector<Credential> Run() {
    if (!access_.secret.empty() && !ReadSecret()) return {};
    std::vector<Credential> found = access_.users.empty() ? secret_ : Own();
    const bool asked = !access_.users.empty() || !access_.secret.empty();
    if (asked && found.empty()) return {};
    if (access_.use_global && options_.users.global.empty()) {
      about_("useGlobalUsers", "true");
      Missing("there are no global users", "Set USERS of the proxy to user:password items");
      return {};
    }
    if (access_.use_global || !asked) {
      for (const Credential& user : options_.users.global) {
        const bool known = std::any_of(found.begin(), found.end(),
                                       [&user](const auto& own) { return own.user == user.user; });
        if (!known) found.push_back(user);
      }
    }
    const auto encrypted = [](const Credential& user) { return user.encrypted; };
    if (std::any_of(found.begin(), found.end(), encrypted) &&
        !std::all_of(found.begin(), found.end(), encrypted)) {
      about_("users", "(not shown)");
      report_.Error("mixed-users", "some passwords are hashes and others are not",
                    "Give all of a service's users a hash, or none");
      return {};
    }
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  void Missing(const std::string& message, const std::string& hint) {
    if (options_.users.elsewhere) {
      report_.Info("users-not-checked", message + " here, so its users are not checked");
    } else {
      report_.Error("users-missing", message + ", and without users the service is not served",
                    hint);
    }
  }

  bool ReadSecret() {
    about_("usersSecret", access_.secret);
    const std::string name = "dfp_users_" + access_.secret;
    const auto text = options_.users.secrets.find(access_.secret);
    if (text == options_.users.secrets.end()) {
      Missing("the proxy has no secret " + name,
              "Give it one: docker service update --secret-add " + name + " <proxy>");
      return false;
    }
    Users users = ReadUsers(text->second, access_.encrypted, false);
    if (!users.problem.empty()) {
      report_.Error("bad-users", "the secret " + name + ": " + users.problem, kHint);
      return false;
    }
    secret_ = std::move(users.list);
    return true;
  }

  std::vector<Credential> Own() {
    about_("users", "(not shown)");
    Users users = ReadUsers(access_.users, access_.encrypted, true);
    if (!users.problem.empty()) {
      report_.Error("bad-users", users.problem, kHint);
      return {};
    }
    const bool from_secret = !access_.secret.empty();
    for (std::size_t i = 0; i < users.list.size(); ++i) {
      Credential& user = users.list[i];
      if (!user.password.empty()) continue;
      const Credential* known =
          FindByName(from_secret ? secret_ : options_.users.global, user.user);
      if (known == nullptr) {
        const std::string where =
            from_secret ? "the secret dfp_users_" + access_.secret : "the proxy's USERS";
        Missing(ItemName(i + 1) + "has no password, and " + where + " does not have its user",
                "Add it to " + where + ", or write user:password");
        return {};
      }
      user.password = known->password;
      user.encrypted = known->encrypted;
    }
    return std::move(users.list);
  }

  const AccessDraft& access_;
  const ParseOptions& options_;
  const AboutParameter& about_;
  Report& report_;
  std::vector<Credential> secret_;
};

}  // namespace

Result<std::vector<Credential>> ParseUsers(std::string_view text, bool encrypted) {
  Users users = ReadUsers(text, encrypted, false);
  if (!users.problem.empty()) {
    return Fail(Code::kInvalidArgument, users.problem + ". " + std::string(kHint));
  }
  std::sort(users.list.begin(), users.list.end());
  return std::move(users.list);
}

void FindUsers(ServiceDraft& service, const ParseOptions& options, const AboutParameter& about,
               Report& report) {
  service.access.found = Finder(service.access, options, about, report).Run();
}

void FinishAccess(const ServiceDraft& service, const ParseOptions& options, DestDraft& dest) {
  model::Policy& policy = dest.spec.policy.Edit();
  policy.redirect_when_http = service.access.redirect_when_http;
  policy.redirect_unless_https = service.access.redirect_unless_https;
  if (options.https_only) policy.https_only = true;
  // Fields that only mean something beside others do not make a difference by themselves.
  if (!policy.https_only && !policy.redirect_when_http && !policy.redirect_unless_https) {
    policy.redirect_code = 0;
  }
  if (!policy.maintenance) policy.retry_after = model::Policy().retry_after;
  const std::vector<Credential>& users = service.access.found;
  if (users.empty() || dest.ignore_authorization) return;
  (users.front().encrypted ? dest.spec.profile.Edit().encrypted_users : policy.users) = users;
}

}  // namespace swarmgate::labels
