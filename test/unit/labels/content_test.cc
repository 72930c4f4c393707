// Labels that say what is done to requests and answers, and how tasks are spoken to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/labels/helpers.h"

namespace swarmgate::labels {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Parameters;
using testing::Parse;
using testing::Texts;

model::DestSpec Dest(const Parameters& parameters, const ParseOptions& options = {}) {
  Parameters all = parameters;
  all.emplace("servicePath", "/x");
  const ParsedService parsed = Parse(all, options);
  EXPECT_THAT(Texts(parsed), IsEmpty());
  return parsed.spec ? parsed.spec->dests.at(0) : model::DestSpec();
}

std::string Show(const model::HeaderRule& rule) {
  static const char* const kActions[] = {"add", "set", "del"};
  return std::string(rule.raw ? "raw " : "") + kActions[static_cast<int>(rule.action)] +
         (rule.response ? "-res " : "-req ") + rule.name + "|" + rule.format + "|" + rule.condition;
}

std::vector<std::string> Headers(const Parameters& parameters, const ParseOptions& options = {}) {
  std::vector<std::string> shown;
  const model::DestSpec dest = Dest(parameters, options);
  for (const auto& rule : dest.profile->headers) shown.push_back(Show(rule));
  return shown;
}

std::string OneHeader(const std::string& label, const std::string& value) {
  const auto headers = Headers({{label, value}});
  return headers.size() == 1 ? headers[0] : ::testing::PrintToString(headers);
}

TEST(HeaderTest, ValuesAreOfAClosedGrammar) {
  struct Case {
    std::string value;
    std::string shown;  // format|condition
  };
  const std::vector<Case> kCases = {
      {"X-P %[dst_port]", "%[dst_port]|"},
      {"X-P on if { ssl_fc }", "on|if { ssl_fc }"},
      {"X-P on if  !{ssl_fc}", "on|if !{ ssl_fc }"},
      {"X-P on unless { ssl_fc } or ! { method GET POST }",
       "on|unless { ssl_fc } or !{ method GET POST }"},
      {"X-P on if METH_GET { path_beg /a /b }", "on|if METH_GET { path_beg /a /b }"},
      {"X-P on if { hdr(X-A) -m found } { hdr(X-B) -i abc }",
       "on|if { hdr(X-A) -m found } { hdr(X-B) -i abc }"},
      {"X-P on if { src 10.0.0.0/8 fd00::/8 } { dst_port 80 }",
       "on|if { src 10.0.0.0/8 fd00::/8 } { dst_port 80 }"},
      {"X-P only if needed", "only if needed|"},
      {"X-P \"a if { ssl_fc }\"", "a if { ssl_fc }|"},
      {"X-P a+b'c\"d&e<f#g", "a+b'c\"d&e<f#g|"},
      {"X-P \"max-age=1; preload\"", "max-age=1; preload|"},
      {"X-P 'a b' c", "a b c|"},
      {"X-P a\\ b\\\"c", "a b\"c|"},
      {"X-P it's", "it's|"},
      {"X-P {\"a\":\"b c\"}", "{\"a\":\"b c\"}|"},
      {"X-P 100%", "100%%|"},
      {"X-P 100%% %5", "100%% %%5|"},
      {"X-P \"\"", "|"},
      {"X-P %{+Q}[ssl_c_s_dn] %[ssl_c_s_dn(cn)]", "%{+Q}[ssl_c_s_dn] %[ssl_c_s_dn(cn)]|"},
      {"X-P %[ssl_fc,iif(https,http)]", "%[ssl_fc,iif(https,http)]|"},
      {"X-P %[req.hdr(Host),lower,base64]", "%[req.hdr(Host),lower,base64]|"},
      {"X-P %[env(HOSTNAME)]", "%[hostname]|"},
      {"X-P %ci:%cp %{+X}rt", "%ci:%cp %{+X}rt|"},
      {"X-P %b", "%[var(txn.r),field(2,|)]|"},
  };
  for (const Case& c : kCases)
    EXPECT_EQ(OneHeader("addReqHeader", c.value), "add-req X-P|" + c.shown);
}

TEST(HeaderTest, AListIsSplitOutsideOfExpressionsAndQuotes) {
  EXPECT_THAT(Headers({{"setResHeader", "A %[ssl_fc,iif(a,b)],B \"c, d\", C e\\,f"}}),
              ElementsAre("set-res A|%[ssl_fc,iif(a,b)]|", "set-res B|c, d|", "set-res C|e,f|"));
}

TEST(HeaderTest, RulesStandInTheOrderOfThePredecessorForEachDestination) {
  const Parameters parameters = {{"delResHeader", "F"},   {"delReqHeader", "E"},
                                 {"setResHeader", "D d"}, {"addResHeader", "C c"},
                                 {"setHeader", "B b"},    {"addHeader", "A a"},
                                 {"servicePath.1", "/a"}, {"servicePath.2", "/b"}};
  const ParsedService parsed = Parse(parameters);
  ASSERT_TRUE(parsed.spec);
  ASSERT_EQ(parsed.spec->dests.size(), 2U);
  for (const model::DestSpec& dest : parsed.spec->dests) {
    std::vector<std::string> shown;
    for (const auto& rule : dest.profile->headers) shown.push_back(Show(rule));
    EXPECT_THAT(shown, ElementsAre("add-req A|a|", "set-req B|b|", "add-res C|c|", "set-res D|d|",
                                   "del-req E||", "del-res F||"));
  }
}

struct Bad {
  std::string name;
  std::string value;
  std::string text;  // "<code>|<message and hint>"
  Parameters others = {};
};

TEST(ContentTest, BadValuesAreRefusedWithServiceLabelValueReasonAndHint) {
  const std::string raw = "; with ALLOW_RAW_CONFIG=true the proxy takes anything that HAProxy does";
  const std::string list = ". Use one of the expressions of the documentation" + raw;
  const std::string example =
      ". Write for example if { ssl_fc }, unless { method GET }, if { path_beg /x }, "
      "if { hdr(Name) -m found }" +
      raw;
  const std::string header =
      ". Write name, space, value and perhaps a condition: X-Port %[dst_port] if { ssl_fc }";
  const std::string page = ". Write a status, a colon and the text: 503:<h1>Back soon</h1>";
  const std::vector<Bad> kBad = {
      {"addReqHeader", "X-A %[env(SECRET)]",
       "raw-not-allowed|\"%[env(SECRET)]\": what stands in ( ) does not fit env" + list},
      {"addReqHeader", "X-A %[lua.x]",
       "raw-not-allowed|\"%[lua.x]\" is not in the list of expressions" + list},
      {"addReqHeader", "X-A %[src,lua.x]",
       "raw-not-allowed|\"%[src,lua.x]\" is not in the list of expressions" + list},
      {"addReqHeader", "X-A %[src",
       "raw-not-allowed|\"%[src\" has no ]. Write %% for a percent sign" + raw},
      {"addReqHeader", "X-A %zz",
       "raw-not-allowed|\"%zz\" is not in the list of expressions. Write %% for a percent sign" +
           raw},
      {"setResHeader", "X-A %[path]",
       "raw-not-allowed|\"%[path]\" is not known any more when the answer comes. Use it for a "
       "header of the request, or res.hdr(Name)" +
           raw},
      {"addReqHeader", "X-A b if { nbsrv 1 }",
       "raw-not-allowed|\"nbsrv\" is not in the list of conditions" + example},
      {"addReqHeader", "X-A b if { ssl_fc", "raw-not-allowed|a { has no }" + example},
      {"addReqHeader", "X-A b if { path }",
       "raw-not-allowed|\"path\" is compared with nothing" + example},
      {"addReqHeader", "X-A b if { path \"/a\" }",
       "raw-not-allowed|\"\"/a\"\" cannot be compared with \"path\"" + example},
      {"setResHeader", "X-A b if { hdr(X) -m found }",
       "raw-not-allowed|\"hdr(X)\" is not known any more when the answer comes. Use res.hdr(Name), "
       "status, ssl_fc, method, src or dst_port" +
           raw},
      {"addReqHeader", "X-A",
       "no-value|the header X-A gets no value. Write a name, a space and a value; a comma in a "
       "value is written \\, or stands in \"quotes\""},
      {"addReqHeader", "X(A b", "bad-header|\"X(A\" is not the name of a header" + header},
      {"setReqHeader", "Content-Length 0",
       "bad-header|Content-Length says where a message ends, so only the proxy sets it. Leave it "
       "out"},
      {"delReqHeader", "X-A b",
       "raw-not-allowed|\"b\" stands behind the name. Write names only" + raw},
      {"backendExtra", "option httplog",
       "raw-not-allowed|it is HAProxy's own configuration, which this proxy takes from nobody. Use "
       "another label, or have the operator set ALLOW_RAW_CONFIG=true"},
      {"compressionAlgo", "brotli",
       "bad-compression|\"brotli\" is no way to compress. Write gzip, deflate or raw-deflate"},
      {"compressionType",
       "css",
       "bad-media-type|\"css\" is no media type. Write media types, as in text/css text/html",
       {{"compressionAlgo", "gzip"}}},
      {"connectionMode", "turbo",
       "bad-mode|there is no such mode. Write http-keep-alive, http-server-close or httpclose"},
      {"corsOrigin", "app.example.com",
       "bad-origin|\"app.example.com\" is no origin. Write origins as browsers send them, in lower "
       "case and without path: https://app.example.com, or * alone"},
      {"corsCredentials",
       "true",
       "bad-cors|every page of the world would act in its visitors' names. List the origins in "
       "corsOrigin instead of *",
       {{"corsOrigin", "*"}}},
      {"errorPage", "<h1>x</h1>", "bad-page|\"<h1>x</h1>\" is not a status and its text" + page},
      {"errorPage", "200:x",
       "bad-page|200 has no page. The statuses are 400 401 403 404 405 407 408 410 413 421 422 425 "
       "429 500 501 502 503 504"},
      {"errorPage", "503:a,503:b", "bad-page|the status 503 stands there twice" + page},
      {"sslVerify",
       "true",
       "contradiction|sslVerifyNone says the opposite. Leave sslVerifyNone out",
       {{"sslVerifyNone", "true"}}},
      {"protocol", "grpc",
       "bad-protocol|there is no such protocol. Write http, https, h2c (HTTP/2 "
       "without TLS) or h2"},
      {"protocol",
       "h2c",
       "contradiction|h2c is not encrypted, but sslVerify asks for TLS. Write "
       "protocol=h2",
       {{"sslVerify", "true"}}},
      {"sslServerName",
       "a/b",
       "bad-host|it is not a host name. Write a host name",
       {{"sslVerify", "true"}}},
      {"maxconn", "0",
       "bad-number|it is not a number from 1 to 1000000. Write a number from 1 to "
       "1000000"},
      {"balance", "static-rr",
       "bad-balance|there is no such way to choose a task. Write roundrobin, "
       "leastconn, first, random, source, uri or hdr(Name)"},
      {"checkPath", "health",
       "bad-path|it cannot be the path of a request. Write a path, as /health"},
      {"checkInterval", "10ms",
       "bad-duration|it is not a duration of at least 100ms. Write seconds, "
       "as in 2, or 500ms, 10s"},
      {"retries", "11", "bad-number|it is not a number from 0 to 10. Write a number from 0 to 10"},
      {"sendProxy", "v1", "bad-bool|it is neither true nor false. Write true or false"},
  };
  for (const Bad& bad : kBad) {
    SCOPED_TRACE(bad.name + "=" + bad.value);
    Parameters parameters = bad.others;
    parameters.emplace("servicePath", "/x");
    parameters.emplace(bad.name, bad.value);
    const ParsedService parsed = Parse(parameters);
    const std::size_t bar = bad.text.find('|');
    // The value of a header may be an Authorization.
    const bool hidden = bad.name.ends_with("Header") && !bad.name.starts_with("del");
    const std::string shown = hidden ? "(not shown)" : bad.value;
    EXPECT_THAT(Texts(parsed),
                ElementsAre("error " + bad.text.substr(0, bar) + ": service web: com.df." +
                            bad.name + "=" + shown + ": " + bad.text.substr(bar + 1)));
    EXPECT_FALSE(parsed.spec);
  }
}

TEST(ContentTest, WhatHasNoEffectAloneIsToldAndHarmless) {
  const std::vector<Bad> kCases = {
      {"compressionType", "text/css",
       "no-effect|without compressionAlgo nothing is compressed. Add compressionAlgo=gzip"},
      {"corsMethods", "GET",
       "no-effect|without corsOrigin it has no effect. Add corsOrigin=https://app.example.com"},
      {"sslServerName", "a.example",
       "no-effect|without TLS to the service it has no effect. Add sslVerify=true"},
      {"reqPathSearch", "^/x",
       "incomplete-pair|without reqPathReplace it has no effect. Write "
       "com.df.reqPathSearchReplace=search,replacement"},
      {"reqPathReplace", "/x",
       "incomplete-pair|without reqPathSearch it has no effect. Use reqPathSearchReplace"},
      {"connectionMode", "forceclose",
       "gone-from-haproxy|HAProxy no longer has it; httpclose is taken. Write httpclose"},
      {"connectionMode", "http-tunnel",
       "gone-from-haproxy|HAProxy no longer has it; http-keep-alive is taken. Write "
       "http-keep-alive"},
  };
  for (const Bad& c : kCases) {
    const ParsedService parsed = Parse({{"servicePath", "/x"}, {c.name, c.value}});
    const std::size_t bar = c.text.find('|');
    EXPECT_THAT(Texts(parsed),
                ElementsAre("warning " + c.text.substr(0, bar) + ": service web: com.df." + c.name +
                            "=" + c.value + ": " + c.text.substr(bar + 1)));
    EXPECT_TRUE(parsed.spec);
  }
}

TEST(RawTest, WhereItIsAllowedItIsTakenAsItIs) {
  ParseOptions options;
  options.allow_raw = true;
  EXPECT_THAT(Headers({{"addReqHeader", "X-A %[lua.x] if { nbsrv 1 },X-B c"}}, options),
              ElementsAre("raw add-req X-A|%[lua.x] if { nbsrv 1 }|", "add-req X-B|c|"));
  EXPECT_THAT(
      Dest({{"backendExtra", "option httplog\\n\\n  acl a src 10.0.0.1 "}}, options).profile->raw,
      ElementsAre("option httplog", "acl a src 10.0.0.1"));
  for (const std::string line : {"backend x", "SERVER a 1.2.3.4:80", ".if 0", "userlist u",
                                 // HAProxy takes these off before it compares.
                                 "\"listen\" x", "'global'", "fron\\tend x", "$X y"}) {
    const ParsedService parsed =
        Parse({{"servicePath", "/x"}, {"backendExtra", "option httplog\\n" + line}}, options);
    EXPECT_FALSE(parsed.spec) << line;
    ASSERT_EQ(parsed.diagnostics.size(), 1U);
    EXPECT_EQ(parsed.diagnostics[0].code, "bad-raw");
  }
}

TEST(ServersTest, TlsHasANameToAskForAndToVerify) {
  using Tls = model::ServerOptions::Tls;
  const auto server = [](const Parameters& parameters) { return Dest(parameters).server; };
  EXPECT_EQ(server({{"sslVerifyNone", "true"}}).Edit().tls, Tls::kUnverified);
  EXPECT_EQ(server({{"sslVerifyNone", "true"}}).Edit().tls_name, "");
  EXPECT_EQ(server({{"sslVerifyNone", "false"}}).Edit().tls, Tls::kNone);
  const model::ServerOptions verified = server({{"sslVerify", "true"}});
  EXPECT_EQ(verified.tls, Tls::kVerified);
  EXPECT_EQ(verified.tls_name, "web");
  EXPECT_EQ(verified.ca_file, "@system-ca");
  EXPECT_EQ(server({{"sslVerify", "true"}, {"sslServerName", "A.example"}}).Edit().tls_name,
            "a.example");
  EXPECT_EQ(server({{"sslVerifyNone", "true"}, {"outboundHostname", "b.example"}}).Edit().tls_name,
            "b.example");
  EXPECT_TRUE(server({{"sslVerify", "true"}, {"protocol", "h2"}}).Edit().http2);
  EXPECT_EQ(server({{"protocol", "h2c"}}).Edit().tls, Tls::kNone);
  EXPECT_TRUE(server({{"protocol", "h2c"}}).Edit().http2);

  const ParsedService address =
      Parse({{"servicePath", "/x"}, {"sslVerify", "true"}, {"outboundHostname", "192.0.2.7"}});
  EXPECT_THAT(Texts(address),
              ElementsAre("error missing-name: service web: com.df.sslServerName: a certificate is "
                          "verified by a name, and this is an address. Write the name that stands "
                          "in the certificate"));
  ParseOptions none;
  none.upstream_ca.clear();
  EXPECT_THAT(
      Texts(Parse({{"servicePath", "/x"}, {"sslVerify", "true"}}, none)),
      ElementsAre("error no-authorities: service web: com.df.sslVerify=true: the proxy has "
                  "no certificates of authorities to verify the service's one against. Give "
                  "the proxy the option UPSTREAM_CA_FILE, or the system's certificates "
                  "(ca-certificates)"));
}

TEST(ServersTest, LabelsOfADestinationFollowTheIndexRules) {
  const ParsedService parsed = Parse({{"servicePath.1", "/a"},
                                      {"servicePath.2", "/b"},
                                      {"maxconn", "5"},
                                      {"maxconn.2", "7"},
                                      {"balance.2", "hdr(X-User)"},
                                      {"checkPath", "/health"},
                                      {"checkInterval.2", "500ms"},
                                      {"drainTimeout", "1m"},
                                      {"retries.1", "0"},
                                      {"sendProxy.1", "true"},
                                      {"errorPage", "503:<b>a, b</b>,404:none"}});
  EXPECT_THAT(Texts(parsed), IsEmpty());
  ASSERT_TRUE(parsed.spec);
  const model::DestSpec& one = parsed.spec->dests.at(0);
  const model::DestSpec& two = parsed.spec->dests.at(1);
  EXPECT_EQ(one.server->max_connections, 5U);
  EXPECT_EQ(two.server->max_connections, 7U);
  EXPECT_EQ(one.profile->balance, model::Balance());
  EXPECT_EQ(two.profile->balance, (model::Balance{model::Balance::Algorithm::kHeader, "X-User"}));
  EXPECT_EQ(one.server->check_interval, std::chrono::milliseconds(2000));
  EXPECT_EQ(two.server->check_interval, std::chrono::milliseconds(500));
  EXPECT_EQ(one.drain_timeout, std::chrono::minutes(1));
  EXPECT_EQ(one.profile->retries, 0);
  EXPECT_FALSE(two.profile->retries);
  EXPECT_TRUE(one.server->send_proxy);
  EXPECT_THAT(two.profile->error_pages,
              ElementsAre(model::ErrorPage{503, "<b>a, b</b>"}, model::ErrorPage{404, "none"}));
}

}  // namespace
}  // namespace swarmgate::labels
