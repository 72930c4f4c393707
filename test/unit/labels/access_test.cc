// Who may send what: what the parameters mean, what they refuse, and that nothing that goes wrong
// leaves a service open.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/labels/helpers.h"

namespace swarmgate::labels {
namespace {

using model::Credential;
using model::Policy;
using model::Profile;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Parameters;
using testing::Parse;
using testing::Texts;

const std::string kHash = "$6$salt$" + std::string(86, 'a');

Parameters With(Parameters parameters) {
  parameters.emplace("servicePath", "/x");
  return parameters;
}

ParseOptions Options() {
  ParseOptions options;
  options.users.secrets = {{"team", "Ann:a1\nbob:b:2,\ncy:c\\,3\n"}, {"bad", "ann:a1,:x"}};
  options.users.global = {{"ann", "global", false}, {"root", "toor", false}};
  return options;
}

std::vector<std::string> Shown(const std::vector<Credential>& users) {
  std::vector<std::string> texts;
  for (const Credential& user : users) {
    texts.push_back(user.user + " " + user.password + (user.encrypted ? " (hash)" : ""));
  }
  return texts;
}

Policy PolicyOf(const Parameters& parameters, const ParseOptions& options = {}) {
  const ParsedService parsed = Parse(With(parameters), options);
  EXPECT_THAT(Texts(parsed), IsEmpty());
  return parsed.spec ? *parsed.spec->dests.at(0).policy : Policy();
}

Profile ProfileOf(const Parameters& parameters, const ParseOptions& options = {}) {
  const ParsedService parsed = Parse(With(parameters), options);
  EXPECT_THAT(Texts(parsed), IsEmpty());
  return parsed.spec ? *parsed.spec->dests.at(0).profile : Profile();
}

// --- users ------------------------------------------------------------------------------

TEST(UsersTest, ComeFromTheLabelTheSecretAndTheGlobalList) {
  struct Case {
    Parameters parameters;
    bool with_global;
    std::vector<std::string> users;
  };
  const std::vector<Case> cases = {
      {{{"users", "u1:p1, u2:p2"}}, true, {"u1 p1", "u2 p2"}},
      {{{"users", R"(u:a:b&c<d>+"e'f g\,h\i,ü:ß)"}}, false, {R"(u a:b&c<d>+"e'f g,h\i)", "ü ß"}},
      {{{"usersSecret", "team"}}, true, {"Ann a1", "bob b:2", "cy c,3"}},
      // A name alone takes its password from the secret where one is named, else from USERS.
      {{{"users", "ANN,x:y"}, {"usersSecret", "team"}}, true, {"ANN a1", "x y"}},
      {{{"users", "ROOT,x:y"}}, true, {"ROOT toor", "x y"}},
      {{}, true, {"ann global", "root toor"}},
      {{}, false, {}},
      {{{"useGlobalUsers", "true"}, {"users", "ann:own"}}, true, {"ann own", "root toor"}},
      {{{"useGlobalUsers", "false"}}, true, {"ann global", "root toor"}},
      {{{"ignoreAuthorization", "true"}, {"users", "a:b"}}, true, {}},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(i);
    ParseOptions options = Options();
    if (!cases[i].with_global) options.users.global.clear();
    EXPECT_EQ(Shown(PolicyOf(cases[i].parameters, options).users), cases[i].users);
  }
}

TEST(UsersTest, AreNotAskedForWhereADestinationIgnoresThem) {
  const ParsedService parsed = Parse({{"servicePath.1", "/a"},
                                      {"servicePath.2", "/b"},
                                      {"users", "a:b"},
                                      {"ignoreAuthorization.2", "true"}});
  EXPECT_THAT(Texts(parsed), IsEmpty());
  EXPECT_THAT(Shown(parsed.spec->dests.at(0).policy->users), ElementsAre("a b"));
  EXPECT_THAT(parsed.spec->dests.at(1).policy->users, IsEmpty());
}

TEST(UsersTest, WithHashesStandInTheProfile) {
  const std::string bcrypt = "$2y$05$" + std::string(53, 'b');
  for (const std::string& hash :
       {kHash, bcrypt, "$5$rounds=5000$s.l/t$" + std::string(43, 'x'),
        "$1$salt$" + std::string(22, 'm'), std::string("abJnggxhB/yWI")}) {
    SCOPED_TRACE(hash);
    const Parameters parameters = {{"users", "a:" + hash}, {"usersPassEncrypted", "true"}};
    EXPECT_THAT(Shown(ProfileOf(parameters).encrypted_users), ElementsAre("a " + hash + " (hash)"));
    EXPECT_THAT(PolicyOf(parameters).users, IsEmpty());
  }
  ParseOptions options;
  options.users.global = {{"root", kHash, true}};
  EXPECT_EQ(ProfileOf({}, options).encrypted_users, options.users.global);
}

TEST(UsersTest, ThatAreAskedForAndNotFoundKeepTheServiceOut) {
  struct Case {
    Parameters parameters;
    std::string text;
  };
  const std::string kOut = ", and without users the service is not served. ";
  const std::string kWrite =
      ". Write user:password items divided by commas; a comma in a password is written \\,";
  const std::string kShown = "service web: com.df.users=(not shown): ";
  const std::vector<Case> cases = {
      {{{"usersSecret", "none"}},
       "error users-missing: service web: com.df.usersSecret=none: the proxy has no secret "
       "dfp_users_none" +
           kOut + "Give it one: docker service update --secret-add dfp_users_none <proxy>"},
      {{{"usersSecret", "bad"}},
       "error bad-users: service web: com.df.usersSecret=bad: the secret dfp_users_bad: item 2 has "
       "no user name" +
           kWrite},
      {{{"usersSecret", "../x"}},
       "error bad-secret-name: service web: com.df.usersSecret=../x: it is no name of a secret. "
       "Write x for the secret dfp_users_x: letters, digits, dot, dash and underscore"},
      {{{"users", "x:y,nobody"}},
       "error users-missing: " + kShown +
           "item 2 has no password, and the proxy's USERS does not have its user" + kOut +
           "Add it to the proxy's USERS, or write user:password"},
      {{{"users", "root"}, {"usersSecret", "team"}},
       "error users-missing: " + kShown +
           "item 1 has no password, and the secret dfp_users_team does not have its user" + kOut +
           "Add it to the secret dfp_users_team, or write user:password"},
      {{{"users", "a:b,c:"}},
       "error bad-users: " + kShown + "item 2 has an empty password" + kWrite},
      {{{"users", ":b"}}, "error bad-users: " + kShown + "item 1 has no user name" + kWrite},
      {{{"users", "a:b,a:c"}},
       "error bad-users: " + kShown + "item 2 has the name of an item before it" + kWrite},
      {{{"users", ","}}, "error bad-users: " + kShown + "there is no user in it" + kWrite},
      {{{"users", "a:" + std::string(513, 'x')}},
       "error bad-users: " + kShown + "item 1 has a password of more than 512 bytes" + kWrite},
      {{{"users", "a:plain"}, {"usersPassEncrypted", "true"}},
       "error bad-users: " + kShown + "item 1 is no hash that crypt(3) knows" + kWrite},
      {{{"users", "a:$6$rounds=10001$s$" + std::string(86, 'x')}, {"usersPassEncrypted", "true"}},
       "error bad-users: " + kShown +
           "item 1 is a hash that takes so long that it would stop the proxy" + kWrite},
      {{{"users", "a:$2b$11$" + std::string(53, 'x')}, {"usersPassEncrypted", "true"}},
       "error bad-users: " + kShown +
           "item 1 is a hash that takes so long that it would stop the proxy" + kWrite},
      {{{"users", "a:" + kHash + ",root"}, {"usersPassEncrypted", "true"}},
       "error mixed-users: " + kShown +
           "some passwords are hashes and others are not. Give all of a service's users a hash, or "
           "none"},
      {{{"users", ""}},
       "error empty-value: " + kShown +
           "the value is empty, and it restricts who may "
           "send what" +
           kWrite},
      {{{"users.1", "a:b"}},
       "error not-indexable: service web: com.df.users.1=(not shown): users concerns the whole "
       "service, so with an index it is left out. Write com.df.users"},
  };
  for (const Case& c : cases) {
    const ParsedService parsed = Parse(With(c.parameters), Options());
    EXPECT_FALSE(parsed.spec) << c.text;
    EXPECT_THAT(Texts(parsed), ElementsAre(c.text));
  }
  const ParsedService no_global = Parse(With({{"useGlobalUsers", "true"}}));
  EXPECT_FALSE(no_global.spec);
  EXPECT_THAT(Texts(no_global),
              ElementsAre("error users-missing: service web: com.df.useGlobalUsers=true: there are "
                          "no global users" +
                          kOut + "Set USERS of the proxy to user:password items"));
}

TEST(UsersTest, AreNotCheckedWhereSecretsAreElsewhere) {
  ParseOptions options;
  options.users.elsewhere = true;
  for (const Parameters& parameters :
       {Parameters{{"usersSecret", "team"}}, Parameters{{"users", "ann"}},
        Parameters{{"useGlobalUsers", "true"}}}) {
    const ParsedService parsed = Parse(With(parameters), options);
    EXPECT_TRUE(parsed.spec);
    ASSERT_EQ(parsed.diagnostics.size(), 1U);
    EXPECT_EQ(parsed.diagnostics[0].severity, model::Severity::kInfo);
    EXPECT_EQ(parsed.diagnostics[0].code, "users-not-checked");
  }
}

TEST(UsersTest, OfTheOperatorAreReadOrRefusedWithoutShowingThem) {
  const auto users = ParseUsers("b:2,a:1\nc:x\\,y\r\n", false);
  ASSERT_TRUE(users);
  EXPECT_THAT(Shown(*users), ElementsAre("a 1", "b 2", "c x,y"));
  for (const std::string text : {"sesame", "", "a:", "a:sesame,a:sesame",
                                 "a:ses\x01"
                                 "ame"}) {
    const auto bad = ParseUsers(text, false);
    ASSERT_FALSE(bad) << text;
    EXPECT_EQ(bad.error().code, Code::kInvalidArgument);
    EXPECT_THAT(bad.error().message, ::testing::Not(HasSubstr("sesame")));
  }
  EXPECT_FALSE(ParseUsers("a:sesame", true));
}

TEST(UsersTest, MeanTheSameFromQueryAndEnvironment) {
  for (const Source source : {Source::kQuery, Source::kEnvironment}) {
    ParseOptions options = Options();
    options.source = source;
    EXPECT_THAT(Shown(PolicyOf({{"users", "x:y"}}, options).users), ElementsAre("x y"));
  }
}

// --- everything else --------------------------------------------------------------------

TEST(AccessTest, GoodValuesMakeAPolicy) {
  struct Case {
    Parameters parameters;
    Policy policy;
  };
  const auto make = [](auto fill) {
    Policy policy;
    fill(policy);
    return policy;
  };
  const std::vector<Case> cases = {
      {{{"allowedMethods", "post,GET, get"}}, make([](Policy& p) {
         p.allowed_methods = {"GET", "POST"};
       })},
      {{{"deniedMethods", "PUT,x-purge"}}, make([](Policy& p) {
         p.denied_methods = {"PUT", "X-PURGE"};
       })},
      {{{"denyHttp", "true"}}, make([](Policy& p) { p.deny_http = true; })},
      {{{"httpsOnly", "1"}}, make([](Policy& p) { p.https_only = true; })},
      {{{"httpsOnly", "true"}, {"httpsRedirectCode", "308"}}, make([](Policy& p) {
         p.https_only = true;
         p.redirect_code = 308;
       })},
      // By itself the code means nothing, and the service stays a plain one.
      {{{"httpsRedirectCode", "301"}, {"retryAfter", "60"}}, Policy()},
      {{{"redirectWhenHttpProto", "true"}}, make([](Policy& p) { p.redirect_when_http = true; })},
      {{{"redirectUnlessHttpsProto", "true"}},
       make([](Policy& p) { p.redirect_unless_https = true; })},
      {{{"verifyClientSsl", "true"}}, make([](Policy& p) { p.verify_client = true; })},
      {{{"rateLimit", "100/10s"}}, make([](Policy& p) {
         p.rate_limit = model::RateLimit{100, std::chrono::seconds(10)};
       })},
      {{{"rateLimit", "1 / 1h"}}, make([](Policy& p) {
         p.rate_limit = model::RateLimit{1, std::chrono::seconds(3600)};
       })},
      {{{"maintenance", "true"}}, make([](Policy& p) { p.maintenance = true; })},
      {{{"maintenance", "false"}}, Policy()},
      {{{"maintenance", "Back at 5 %| ü"}, {"retryAfter", "1500ms"}}, make([](Policy& p) {
         p.maintenance = true;
         p.maintenance_text = "Back at 5 %| ü";
         p.retry_after = std::chrono::seconds(2);
       })},
      {{{"hsts", "true"}}, make([](Policy& p) { p.hsts = "max-age=31536000"; })},
      {{{"hsts", "false"}}, Policy()},
      {{{"hsts", "0"}}, make([](Policy& p) { p.hsts = "max-age=0"; })},
      {{{"hsts", "Max-Age=60 ;  includesubdomains; PRELOAD"}},
       make([](Policy& p) { p.hsts = "max-age=60;includeSubDomains;preload"; })},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(i);
    ParsedService parsed = Parse(With(cases[i].parameters));
    ASSERT_TRUE(parsed.spec);
    EXPECT_EQ(parsed.spec->dests.at(0).policy, cases[i].policy);
    EXPECT_TRUE(parsed.spec->dests.at(0).profile->empty());
  }
}

TEST(AccessTest, NetworksAreWrittenInOneWay) {
  EXPECT_THAT(ProfileOf({{"allowFrom", "10.1.2.3/8,2001:DB8::1/32,192.0.2.1/32"}}).allow_from,
              ElementsAre("10.0.0.0/8", "192.0.2.1", "2001:db8::/32"));
  EXPECT_THAT(ProfileOf({{"denyFrom", "::/0,0.0.0.0/0"}}).deny_from,
              ElementsAre("0.0.0.0/0", "::/0"));
}

TEST(AccessTest, EachDestinationHasItsOwn) {
  const ParsedService parsed = Parse({{"servicePath.1", "/a"},
                                      {"servicePath.2", "/b"},
                                      {"allowedMethods", "GET"},
                                      {"allowedMethods.2", "PUT"},
                                      {"httpsOnly", "true"},
                                      {"httpsOnly.2", "false"},
                                      {"redirectWhenHttpProto", "true"}});
  EXPECT_THAT(Texts(parsed), IsEmpty());
  const Policy& first = parsed.spec->dests.at(0).policy;
  const Policy& second = parsed.spec->dests.at(1).policy;
  EXPECT_THAT(first.allowed_methods, ElementsAre("GET"));
  EXPECT_THAT(second.allowed_methods, ElementsAre("PUT"));
  EXPECT_TRUE(first.https_only);
  EXPECT_FALSE(second.https_only);
  EXPECT_TRUE(first.redirect_when_http && second.redirect_when_http);
}

TEST(AccessTest, TheOperatorsHttpsOnlyHoldsForAll) {
  for (const Source source : {Source::kLabel, Source::kQuery, Source::kEnvironment}) {
    ParseOptions options;
    options.source = source;
    options.https_only = true;
    EXPECT_TRUE(PolicyOf({{"httpsOnly", "false"}}, options).https_only);
  }
}

TEST(AccessTest, BadValuesLeaveTheDestinationOut) {
  struct Case {
    std::string name;
    std::string value;
    std::string text;  ///< behind the label and its value
  };
  const std::string methods = ". Write methods divided by commas, as in GET,HEAD,POST";
  const std::string networks =
      " is neither address nor network. Write addresses and networks divided by commas, as in "
      "10.0.0.0/8,2001:db8::/32";
  const std::string boolean = ": it is neither true nor false. Write true or false";
  const std::string limit =
      ": it is no number of requests per period. Write a number of requests, a slash, and 1s, 10s, "
      "1m or 1h, as in 100/10s";
  const std::string hsts =
      ": it is no value of Strict-Transport-Security. Write true, or max-age=<seconds>, with ; "
      "includeSubDomains and ; preload behind it where wanted";
  const std::vector<Case> cases = {
      {"allowedMethods", "GET POST", ": \"GET POST\" is no method of HTTP" + methods},
      {"deniedMethods", "GET,P/T", ": \"P/T\" is no method of HTTP" + methods},
      {"allowedMethods", ",", ": the list has no items" + methods},
      {"denyHttp", "yes", boolean},
      {"httpsOnly", "on", boolean},
      {"verifyClientSsl", "required", boolean},
      {"httpsRedirectCode", "300",
       ": it is no status of a redirect. Write 301, 302, 303, 307 or 308"},
      {"rateLimit", "100", limit},
      {"rateLimit", "0/1s", limit},
      {"rateLimit", "10/5s", limit},
      {"rateLimit", "-1/1s", limit},
      {"allowFrom", "10.0.0.0/33", ": \"10.0.0.0/33\"" + networks},
      {"allowFrom", "example.com", ": \"example.com\"" + networks},
      {"denyFrom", "10.0.0.1,fe80::1%eth0", ": \"fe80::1%eth0\"" + networks},
      {"denyFrom", "10.0.0.0/08", ": \"10.0.0.0/08\"" + networks},
      {"hsts", "includeSubDomains", hsts},
      {"hsts", "max-age=1;x=y", hsts},
      {"hsts", "max-age=1,max-age=2", hsts},
      {"retryAfter", "soon",
       ": it is not a duration. Write seconds, as in 30, or 500ms, 1m, 1h30m, up to 24 days"},
  };
  for (const Case& c : cases) {
    const ParsedService parsed = Parse(With({{c.name, c.value}}));
    EXPECT_FALSE(parsed.spec) << c.name << "=" << c.value;
    ASSERT_EQ(parsed.diagnostics.size(), 1U) << c.name << "=" << c.value;
    EXPECT_EQ(parsed.diagnostics[0].ToString(),
              "service web: com.df." + c.name + "=" + c.value + c.text);
  }
  EXPECT_FALSE(Parse(With({{"maintenance", std::string(1001, 'x')}})).spec);
}

TEST(AccessTest, ARestrictionThatCannotTakeEffectLeavesNothingOpen) {
  for (const Parameters& parameters :
       {Parameters{{"denyHttp", ""}}, Parameters{{"allowFrom", " "}},
        Parameters{{"allowedMethods.3", "GET"}}, Parameters{{"useGlobalUsers.1", "true"}}}) {
    const ParsedService parsed = Parse(With(parameters));
    EXPECT_FALSE(parsed.spec) << parameters.begin()->first;
    EXPECT_FALSE(parsed.diagnostics.empty());
  }
}

TEST(AccessTest, WhereNoCertificateOfAClientCanBeVerifiedItIsTold) {
  ParseOptions options;
  options.verifies_clients = false;
  const ParsedService parsed = Parse(With({{"verifyClientSsl", "true"}}), options);
  ASSERT_TRUE(parsed.spec);
  EXPECT_TRUE(parsed.spec->dests.at(0).policy->verify_client) << "it stays closed";
  EXPECT_THAT(Texts(parsed), ElementsAre(::testing::AllOf(HasSubstr("warning no-client-ca"),
                                                          HasSubstr("CA_FILE"))));
  EXPECT_THAT(Texts(Parse(With({{"verifyClientSsl", "false"}}), options)), IsEmpty());
}

}  // namespace
}  // namespace swarmgate::labels
