// Policies and profiles that say who may send what: how they stand in maps and files, and what of
// them nobody gets to see.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "haproxy/digest.h"
#include "haproxy/policy.h"
#include "haproxy/profile.h"
#include "haproxy/slots.h"
#include "support/random_desired.h"

namespace swarmgate::haproxy {
namespace {

using model::BackendKind;
using model::Policy;
using model::Profile;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

Settings SettingsWith(const std::string& key) {
  Settings settings = swarmgate::testing::TestSettings("/run/x", 80);
  settings.cookie_key = key;
  return settings;
}

std::string IdOf(const Policy& policy, const std::string& key, Image& image) {
  const RecordEnd end = RecordTail(policy, {}, "", SettingsWith(key));
  for (const auto& [entry, value] : end.entries) image.policies.emplace(entry, value);
  EXPECT_THAT(end.tail, ::testing::EndsWith("|" + end.policy));
  return end.policy;
}

TEST(DigestTest, IsTheOneThatHaproxyComputes) {
  EXPECT_EQ(Sha256Hex("abc"), "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD");
}

TEST(PolicyTest, APasswordIsASaltedDigest) {
  Policy policy;
  policy.users = {{"ann", "secret", false}};
  Image image;
  const std::string id = IdOf(policy, std::string(32, 'a'), image);
  EXPECT_EQ(image.policies, (MapEntries{{id + ":u:" + Sha256Hex(id + ":ann:secret"), "1"}}));
}

TEST(PolicyTest, AnIdSaysNothingOfThePasswordWithoutTheSecret) {
  Policy policy;
  policy.users = {{"ann", "secret", false}};
  std::set<std::string> ids;
  Image image;
  for (const char key : {'a', 'b'}) ids.insert(IdOf(policy, std::string(32, key), image));
  policy.users[0].password = "other";
  ids.insert(IdOf(policy, std::string(32, 'a'), image));
  policy.users = {{"anns", "ecret", false}};
  ids.insert(IdOf(policy, std::string(32, 'a'), image));
  EXPECT_EQ(ids.size(), 4U);
  EXPECT_EQ(image.policies.size(), 4U);
}

TEST(PolicyTest, EqualPoliciesShareTheirEntries) {
  Policy policy;
  policy.users = {{"ann", "secret", false}};
  policy.allowed_methods = {"GET"};
  Image image;
  const std::string key(32, 'a');
  EXPECT_EQ(IdOf(policy, key, image), IdOf(policy, key, image));
  EXPECT_EQ(image.policies.size(), 3U);
}

TEST(PolicyTest, ARouteThatUsesNothingHasNoFlags) {
  Policy policy;
  policy.timeout_server = std::chrono::milliseconds(5);
  policy.redirect_code = 301;
  EXPECT_EQ(RecordTail(policy, {}, "", SettingsWith("")).tail, "|5|3600000");
  EXPECT_EQ(RecordTail(policy, {}, "2|x", SettingsWith("")).tail, "|5|3600000|2|x");
  policy.https_only = true;
  const RecordEnd end = RecordTail(policy, {}, "", SettingsWith(""));
  EXPECT_EQ(end.tail, "|5|3600000|||h1");
  EXPECT_TRUE(end.entries.empty());
}

TEST(PolicyTest, WhatCannotStandInAMapRefusesAll) {
  Policy policy;
  policy.denied_methods = {"A B"};
  const RecordEnd end = RecordTail(policy, {}, "", SettingsWith(""));
  EXPECT_THAT(end.tail, ::testing::EndsWith("|||x"));
  EXPECT_TRUE(end.entries.empty());
}

TEST(PolicyTest, ClientCertificatesMustBeThereAndVerified) {
  EXPECT_THAT(PolicyRules({}),
              Contains("http-request deny deny_status 403 if { var(txn.f) -m sub v } !{ ssl_c_used "
                       "} || { var(txn.f) -m sub v } !{ ssl_c_verify 0 }"));
}

TEST(PolicyTest, HstsStandsOnAnswersOverTlsOnly) {
  EXPECT_THAT(PolicyRules({}),
              Contains("http-after-response set-header Strict-Transport-Security "
                       "\"%[var(txn.p),concat(:s),map_str(maps/policies.map)]\" if { var(txn.f) "
                       "-m sub s } { ssl_fc }"));
}

TEST(PolicyTest, ATrustedProxysWordCountsAsTls) {
  Extras extras;
  extras.trusted_proxies = {"10.0.0.0/8"};
  EXPECT_THAT(PolicyRules(extras), Contains("http-request deny deny_status 403 if { var(txn.f) -m "
                                            "sub d } !{ var(txn.secure) -m found }"));
}

TEST(ProfileTest, AddressesComeBeforeUsersAndUsersBeforeTheRest) {
  Profile profile;
  profile.allow_from = {"10.0.0.0/8"};
  profile.encrypted_users = {{"it's", "$6$x$y", true}};
  model::HeaderRule header;
  header.name = "X-A";
  header.format = "1";
  profile.headers = {header};
  const ProfileText text = RenderProfile(profile, BackendKind::kRich);
  const std::string list = text.head.substr(9, text.head.find('\n') - 9);
  EXPECT_EQ(text.head, "userlist " + list + "\n  user 'it'\\''s' password '$6$x$y'\n");
  EXPECT_EQ(text.lines,
            "  acl sg_allowed src 10.0.0.0/8\n"
            "  http-request deny deny_status 403 unless sg_allowed\n"
            "  http-request return status 401 content-type text/plain string \"unauthorized\\n\" "
            "hdr Cache-Control no-store hdr WWW-Authenticate 'Basic "
            "realm=\"%[var(txn.r),field(2,|)]Realm\"' unless { http_auth(" +
                list +
                ") }\n"
                "  http-request del-header Authorization\n"
                "  http-request set-header X-A 1\n");
}

TEST(ProfileTest, NoTwoClassesHaveAListOfUsersOfOneName) {
  Profile profile;
  profile.encrypted_users = {{"u", "$6$x$y", true}};
  std::set<std::string> heads;
  for (const BackendKind kind : kKinds) heads.insert(RenderProfile(profile, kind).head);
  profile.deny_from = {"::/0"};
  for (const BackendKind kind : kKinds) heads.insert(RenderProfile(profile, kind).head);
  EXPECT_EQ(heads.size(), 2 * kKinds.size());
}

TEST(ConfigTextTest, ShowsNoValueThatALabelGivesAHeader) {
  model::Desired desired;
  model::Backend backend;
  backend.name = model::BackendName("b");
  backend.service = model::ServiceName("s");
  model::HeaderRule rule;
  rule.name = "Authorization";
  rule.format = "Bearer hunter2";
  backend.profile.Edit().headers = {rule};
  backend.profile.Edit().raw = {"http-response add-header X-Key hunter3 if { status 200 }",
                                "http-after-response \t set-header  X-Late hunter4"};
  desired.backends = {backend};
  Settings settings = SettingsWith(std::string(32, 'a'));
  const Image image = Render(desired, AssignSlots({}, desired.backends, {}, 1), settings);
  const std::string text = ConfigText(RenderFiles(image));
  EXPECT_THAT(text, HasSubstr("  http-request set-header Authorization ********\n"));
  EXPECT_THAT(text, HasSubstr("  http-response add-header X-Key ********\n"));
  EXPECT_THAT(text, HasSubstr("set-header  X-Late ********\n"));
  EXPECT_THAT(text, Not(HasSubstr("hunter")));
  EXPECT_THAT(text, HasSubstr("  http-request add-header X-Forwarded-Host %[req.hdr(host)]\n"))
      << "what the proxy itself says is no secret";
}

TEST(ConfigTextTest, ShowsNeitherDigestsNorHashesOfPasswords) {
  model::Desired desired;
  model::Backend backend;
  backend.name = model::BackendName("b");
  backend.service = model::ServiceName("s");
  backend.kind = BackendKind::kRich;
  backend.policy.Edit().users = {{"ann", "secret", false}};
  backend.policy.Edit().allowed_methods = {"GET"};
  backend.profile.Edit().encrypted_users = {{"u password x", "$6$sal$hash", true}};
  desired.backends = {backend};
  const Settings settings = SettingsWith(std::string(32, 'a'));
  const Image image = Render(desired, AssignSlots({}, desired.backends, {}, 1), settings);
  const std::string text = ConfigText(RenderFiles(image));
  const std::string id = image.policies.begin()->first.substr(0, 16);
  EXPECT_THAT(text, HasSubstr("# " + id + ":a:GET 1\n"));
  EXPECT_THAT(text, HasSubstr("# " + id + ":u:********\n"));
  EXPECT_THAT(text, Not(HasSubstr(Sha256Hex(id + ":ann:secret").substr(0, 8))));
  EXPECT_THAT(text, HasSubstr("  user 'u password x' password ********\n"));
  EXPECT_THAT(text, Not(HasSubstr("$6$sal")));
}

}  // namespace
}  // namespace swarmgate::haproxy
