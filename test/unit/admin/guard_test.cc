#include "admin/guard.h"

#include <gtest/gtest.h>

namespace swarmgate::admin {
namespace {

Request From(const std::string& address, std::map<std::string, std::string> headers = {}) {
  Request request;
  request.remote_address = address;
  request.headers = std::move(headers);
  return request;
}

int StatusOf(const std::optional<Response>& refused) { return refused ? refused->status : 200; }

TEST(GuardTest, WithoutATokenChangesAreTakenFromThisMachineOnly) {
  const GuardOptions options;
  EXPECT_EQ(StatusOf(Refuse(From("127.0.0.1"), Access::kWrite, options)), 200);
  EXPECT_EQ(StatusOf(Refuse(From("::1"), Access::kWrite, options)), 200);
  EXPECT_EQ(StatusOf(Refuse(From("::ffff:127.0.0.1"), Access::kWrite, options)), 200);
  EXPECT_EQ(StatusOf(Refuse(From("10.0.0.7"), Access::kWrite, options)), 403);
  EXPECT_EQ(StatusOf(Refuse(From(""), Access::kWrite, options)), 403);
  EXPECT_EQ(StatusOf(Refuse(From("10.0.0.7"), Access::kRead, options)), 200);
  EXPECT_EQ(StatusOf(Refuse(From("10.0.0.7"), Access::kOpen, options)), 200);
  GuardOptions remote;
  remote.allow_remote = true;
  EXPECT_EQ(StatusOf(Refuse(From("10.0.0.7"), Access::kWrite, remote)), 200);
}

TEST(GuardTest, TokenIsAskedForFromEverywhere) {
  GuardOptions options;
  options.token = "open-sesame";
  options.allow_remote = true;
  const struct {
    const char* header;
    int status;
  } cases[] = {{"", 401},
               {"Bearer open-sesame", 200},
               {"bearer  open-sesame ", 200},
               {"Bearer open-sesam", 401},
               {"Bearer open-sesamee", 401},
               {"Bearer ", 401},
               {"Basic open-sesame", 401},
               {"open-sesame", 401}};
  for (const auto& test : cases) {
    EXPECT_EQ(StatusOf(Refuse(From("127.0.0.1", {{"authorization", test.header}}), Access::kWrite,
                              options)),
              test.status)
        << test.header;
  }
  EXPECT_EQ(StatusOf(Refuse(From("10.0.0.7"), Access::kRead, options)), 200);
  const auto refused = Refuse(From("127.0.0.1"), Access::kWrite, options);
  EXPECT_EQ(refused->headers.at(0).first, "WWW-Authenticate");
  EXPECT_EQ(refused->body.find("open-sesame"), std::string::npos);
}

TEST(GuardTest, PagesOfOtherSitesAreRefused) {
  GuardOptions options;
  options.allow_remote = true;
  const struct {
    std::map<std::string, std::string> headers;
    int status;
  } cases[] = {
      {{{"host", "proxy:8080"}}, 200},
      {{{"host", "proxy:8080"}, {"origin", "http://proxy:8080"}}, 200},
      {{{"host", "proxy:8080"}, {"origin", "http://PROXY:8080"}}, 200},
      {{{"host", "proxy:8080"}, {"origin", "http://proxy:8081"}}, 403},
      {{{"host", "proxy:8080"}, {"origin", "http://evil.example"}}, 403},
      {{{"host", "proxy:8080"}, {"origin", "null"}}, 403},
      {{{"host", "proxy:8080"}, {"referer", "http://evil.example/proxy:8080"}}, 403},
      {{{"host", "proxy:8080"}, {"referer", "http://proxy:8080/page"}}, 200},
      {{{"sec-fetch-site", "cross-site"}}, 403},
      {{{"sec-fetch-site", "same-site"}}, 403},
      {{{"sec-fetch-site", "same-origin"}}, 200},
      {{{"sec-fetch-site", "none"}}, 200},
  };
  for (const auto& test : cases) {
    std::string shown;
    for (const auto& [name, value] : test.headers) shown += name + ": " + value + "; ";
    EXPECT_EQ(StatusOf(Refuse(From("10.0.0.7", test.headers), Access::kWrite, options)),
              test.status)
        << shown;
    EXPECT_EQ(StatusOf(Refuse(From("10.0.0.7", test.headers), Access::kOpen, options)), 200);
  }
}

TEST(GuardTest, NamesOfOthersThatResolveToThisMachineAreRefused) {
  GuardOptions options;
  options.host_name = "edge1";
  const std::pair<const char*, int> cases[] = {{"localhost:8080", 200},
                                               {"127.0.0.1:8080", 200},
                                               {"[::1]:8080", 200},
                                               {"10.1.2.3", 200},
                                               {"EDGE1:8080", 200},
                                               {"x.localhost", 200},
                                               {"", 200},
                                               {"evil.example:8080", 403},
                                               {"evillocalhost", 403},
                                               {"127.0.0.1.evil.example", 403}};
  for (const auto& [host, status] : cases) {
    for (const Access access : {Access::kRead, Access::kWrite}) {
      EXPECT_EQ(StatusOf(Refuse(From("127.0.0.1", {{"host", host}}), access, options)), status)
          << host;
    }
    EXPECT_EQ(StatusOf(Refuse(From("127.0.0.1", {{"host", host}}), Access::kOpen, options)), 200);
  }
  options.token = "open-sesame";
  EXPECT_EQ(
      StatusOf(Refuse(From("127.0.0.1", {{"host", "proxy.example"}}), Access::kRead, options)),
      200);
}

TEST(GuardTest, SecretsCompare) {
  EXPECT_TRUE(EqualSecrets("abc", "abc"));
  EXPECT_FALSE(EqualSecrets("abc", "abd"));
  EXPECT_FALSE(EqualSecrets("abc", "ab"));
  EXPECT_FALSE(EqualSecrets("abc", ""));
}

}  // namespace
}  // namespace swarmgate::admin
