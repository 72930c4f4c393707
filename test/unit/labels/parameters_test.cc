// Each parameter: what it takes, what it makes of it, and what it says to the rest, word by word.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "unit/labels/helpers.h"

namespace swarmgate::labels {
namespace {

using model::DestSpec;
using model::HostMatch;
using model::PathMatch;
using model::ServiceSpec;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Parameters;
using testing::Parse;
using testing::Texts;

// --- what is accepted -----------------------------------------------------------------

struct Good {
  std::string name;
  std::string value;
  std::function<std::string(const ServiceSpec&)> shown;
  std::string expected;
};

std::string Show(bool value) { return value ? "true" : "false"; }
template <typename T>
std::string Show(const std::optional<T>& value) {
  return value ? std::to_string(*value) : "none";
}
std::string Show(const std::optional<milliseconds>& value) {
  return value ? std::to_string(value->count()) + "ms" : "none";
}
const DestSpec& Dest(const ServiceSpec& spec) { return spec.dests.at(0); }

std::string Show(const std::vector<PathMatch>& paths) {
  static const std::vector<std::string> kKinds = {"exact", "prefix", "segment", "regex"};
  std::string out;
  for (const PathMatch& path : paths) {
    if (!out.empty()) out += " + ";
    out += kKinds.at(static_cast<std::size_t>(path.kind)) + " " + path.text;
  }
  return out;
}

std::string Show(const std::vector<HostMatch>& hosts) {
  static const std::vector<std::string> kKinds = {"exact", "wildcard", "regex", "any"};
  std::string out;
  for (const HostMatch& host : hosts) {
    if (!out.empty()) out += " + ";
    out += kKinds.at(static_cast<std::size_t>(host.kind)) + " " + host.text;
  }
  return out;
}

std::vector<Good> GoodValues() {
  const auto bool_of = [](bool ServiceSpec::*field) {
    return [field](const ServiceSpec& spec) { return Show(spec.*field); };
  };
  const auto text_of = [](Text ServiceSpec::*field) {
    return [field](const ServiceSpec& spec) { return (spec.*field).str(); };
  };
  const auto port = [](const ServiceSpec& spec) { return Show(Dest(spec).port); };
  const auto server = [](const ServiceSpec& spec) {
    return Show(Dest(spec).policy->timeout_server);
  };
  const auto outbound = [](const ServiceSpec& spec) { return Dest(spec).outbound_hostname.str(); };
  const auto sticky = [](const ServiceSpec& spec) {
    return Show(spec.session == model::Session::kSticky);
  };
  const auto dns = [](const ServiceSpec& spec) {
    return Show(spec.discovery == model::Discovery::kDns);
  };
  const auto acl = [](const ServiceSpec& spec) {
    return spec.acl_name + (spec.acl_name_given ? " given" : "");
  };
  return {
      {"aclName", "05-web", acl, "05-web given"},
      {"port", "8080", port, "8080"},  // and so aclName is the service's name, below
      {"isDefaultBackend", "true", bool_of(&ServiceSpec::default_backend), "true"},
      {"isDefaultBackend", "T", bool_of(&ServiceSpec::default_backend), "true"},
      {"isDefaultBackend", "0", bool_of(&ServiceSpec::default_backend), "false"},
      {"distribute", "1", bool_of(&ServiceSpec::distribute), "true"},
      {"discoveryType", "DNS", dns, "true"},
      {"discoveryType", "tasks", dns, "false"},
      {"sessionType", "sticky-server", sticky, "true"},
      {"replicas", "0", [](const auto& spec) { return Show(spec.replicas); }, "0"},
      {"replicas", "10000", [](const auto& spec) { return Show(spec.replicas); }, "10000"},
      {"network", "stack_proxy.1-a", text_of(&ServiceSpec::network), "stack_proxy.1-a"},
      {"proxyInstanceName", "df", text_of(&ServiceSpec::proxy_instance), "df"},
      {"port", "1", port, "1"},
      {"port", " 65535\n", port, "65535"},
      {"srcPort", "8085", [](const auto& spec) { return Show(Dest(spec).src_port); }, "8085"},
      {"outboundHostname", "Backend_1.example.com", outbound, "Backend_1.example.com"},
      {"outboundHostname", "192.0.2.7", outbound, "192.0.2.7"},
      {"outboundHostname", "[2001:DB8::0:7]", outbound, "2001:db8::7"},
      {"timeoutServer", "60", server, "60000ms"},
      {"timeoutServer", "500ms", server, "500ms"},
      {"timeoutServer", "1m", server, "60000ms"},
      {"timeoutServer", "1h30m", server, "5400000ms"},
      {"timeoutServer", "2073600", server, "2073600000ms"},
      {"timeoutTunnel", "1h",
       [](const auto& spec) { return Show(Dest(spec).policy->timeout_tunnel); }, "3600000ms"},
      {"reqMode", "http", port, "none"},
      {"notify", "true", port, "none"},
  };
}

TEST(ParametersTest, GoodValuesAreTakenWithoutDiagnostics) {
  for (const Good& good : GoodValues()) {
    SCOPED_TRACE(good.name + "=" + good.value);
    const ParsedService parsed = Parse({{"servicePath", "/x"}, {good.name, good.value}});
    EXPECT_THAT(Texts(parsed), IsEmpty());
    ASSERT_TRUE(parsed.spec);
    EXPECT_EQ(good.shown(*parsed.spec), good.expected);
  }
}

TEST(ParametersTest, AclNameIsTheServicesNameWhereNoneIsGiven) {
  const ParsedService parsed = Parse({{"servicePath", "/x"}});
  ASSERT_TRUE(parsed.spec);
  EXPECT_EQ(parsed.spec->acl_name, "web");
  EXPECT_FALSE(parsed.spec->acl_name_given);
}

TEST(ParametersTest, ServiceNameOverridesExceptAsALabel) {
  ParseOptions query;
  query.source = Source::kQuery;
  const Parameters parameters = {{"servicePath", "/x"}, {"serviceName", "other"}};
  EXPECT_EQ(Parse(parameters, query).spec->name.str(), "other");
  EXPECT_EQ(Parse(parameters, query).spec->acl_name, "other");
  const ParsedService label = Parse(parameters);
  EXPECT_EQ(label.spec->name.str(), "web");
  EXPECT_THAT(Texts(label),
              ElementsAre("warning service-name-label: service web: com.df.serviceName=other: a "
                          "label cannot rename a service; it keeps its Docker name. Use aclName "
                          "to order routes, or rename the service itself"));
  EXPECT_THAT(Texts(Parse({{"servicePath", "/x"}, {"serviceName", "web"}})), IsEmpty());
}

// --- what is refused, with the exact words -----------------------------------------------

struct Bad {
  std::string name;
  std::string value;
  std::string text;  // after "service web: com.df.<name>=<value>: "
};

const char* const kPort =
    "error bad-port|it is not a port number. Write a number from 1 to 65535, without sign or "
    "leading zero";
const char* const kBool = "error bad-bool|it is neither true nor false. Write true or false";
const char* const kTime =
    "error bad-duration|it is not a duration. Write seconds, as in 30, or 500ms, 1m, 1h30m, up to "
    "24 days";
const char* const kName =
    "error bad-name|it is not a valid name. Write letters, digits, dot, dash and underscore, the "
    "first a letter or digit, at most 128";
const char* const kHost =
    "error bad-host|it is neither a host name nor an address. Write a host name or an IP address, "
    "without port";
const char* const kLocal =
    "error local-host|it names the proxy's own machine. Write the name or address of another "
    "machine";

const std::vector<Bad>& BadValues() {
  static const std::vector<Bad> kBad = {
      {"port", "0", kPort},
      {"port", "65536", kPort},
      {"port", "08", kPort},
      {"port", "-1", kPort},
      {"port", "+80", kPort},
      {"port", "abc", kPort},
      {"port", "80,81", kPort},
      {"port", "8 0", kPort},
      {"port", "0x50", kPort},
      {"port", "99999999999999999999999", kPort},
      {"srcPort", "80a", kPort},
      {"isDefaultBackend", "yes", kBool},
      {"isDefaultBackend", "tRUE", kBool},
      {"distribute", "on", kBool},
      {"timeoutServer", "abc", kTime},
      {"timeoutServer", "-5", kTime},
      {"timeoutServer", "5d", kTime},
      {"timeoutServer", "1.5s", kTime},
      {"timeoutServer", "s", kTime},
      {"timeoutServer", "2073601", kTime},
      {"timeoutServer", "9999999999999999999h", kTime},
      {"timeoutTunnel", "577h", kTime},
      {"aclName", "a b", kName},
      {"aclName", "-a", kName},
      {"aclName", "a\"b", kName},
      {"aclName", "a%[src]", kName},
      {"aclName", "{{.ServiceName}}", kName},
      {"network", "a/b", kName},
      {"proxyInstanceName", "a#b", kName},
      {"outboundHostname", "a b", kHost},
      {"outboundHostname", "a.com:80", kHost},
      {"outboundHostname", "http://a.com", kHost},
      {"outboundHostname", "256.1.1.1", kHost},
      {"outboundHostname", "1.2.3", kHost},
      {"outboundHostname", "-a.com", kHost},
      {"outboundHostname", "[1.2.3.4]", kHost},
      {"outboundHostname", "127.0.0.1", kLocal},
      {"outboundHostname", "0.0.0.0", kLocal},
      {"outboundHostname", "LOCALHOST", kLocal},
      {"outboundHostname", "::1", kLocal},
      {"outboundHostname", "::ffff:127.1.2.3", kLocal},
      {"replicas", "-1",
       "error bad-number|it is not a number of tasks. Write a number from 0 to 10000"},
      {"replicas", "10001",
       "error bad-number|it is not a number of tasks. Write a number from 0 to 10000"},
      {"pathType", "prefix",
       "error bad-path-type|there is no such way to compare paths. Write one of path, path_beg, "
       "path_dir, path_end, path_sub, path_dom, path_len, path_reg, if need be with -i behind it"},
      {"pathType", "req_ssl_sni -i -m beg",
       "error bad-path-type|there is no such way to compare paths. Write one of path, path_beg, "
       "path_dir, path_end, path_sub, path_dom, path_len, path_reg, if need be with -i behind it"},
      {"serviceDomainAlgo", "src",
       "error bad-domain-algo|there is no such way to compare domains. Write one of hdr(host), "
       "hdr_beg(host), hdr_end(host), hdr_dom(host), hdr_sub(host), hdr_reg(host)"},
      {"reqMode", "udp", "error bad-req-mode|there is no such mode. Write http, tcp or sni"},
      {"reqPathSearchReplace", "/demo",
       "error bad-rewrite|\"/demo\" has no comma. Write search,replacement pairs divided by a "
       "colon, as in ^/demo/,/:/old,/new; a comma or colon itself is written \\, or \\:"},
      {"reqPathSearchReplace", "a,b,c",
       "error bad-rewrite|\"a,b,c\" has more than one comma. Write search,replacement pairs "
       "divided by a colon, as in ^/demo/,/:/old,/new; a comma or colon itself is written \\, or "
       "\\:"},
      {"reqPathSearchReplace", "/a,/\\1",
       "error bad-rewrite|the replacement \"/\\1\" refers to a group that the search does not "
       "have. Use \\1 to \\1 for what ( ) of the search matched"},
      {"reqPathSearchReplace", "/a,/b?c",
       "error bad-rewrite|the replacement \"/b?c\" contains a character that cannot stand in a "
       "path. Write it percent-encoded, as %20 for a space"},
      {"reqPathSearchReplace", "(a+)+,/b",
       "error bad-regex|\"(a+)+\": a repeated group can be matched in many ways, which may take "
       "unbounded time. Let each repetition begin or end with a fixed character that occurs "
       "nowhere else in it, as in (/[a-z]+)*"},
      {"reqPathSearchReplace", "(a)(b)(c)(d)(e)(f)(g),/",
       "error bad-regex|\"(a)(b)(c)(d)(e)(f)(g)\" has more than 6 groups. Write (?:…) for groups "
       "that the replacement does not use"},
      {"reqPathSearchReplace", "a,1:b,2:c,3:d,4:e,5:f,6:g,7:h,8:i,9",
       "error bad-rewrite|there are more than 8 pairs. Write search,replacement pairs divided by "
       "a colon, as in ^/demo/,/:/old,/new; a comma or colon itself is written \\, or \\:"},
  };
  return kBad;
}

std::string Expected(const Bad& bad) {
  const std::size_t bar = bad.text.find('|');
  return bad.text.substr(0, bar) + ": service web: com.df." + bad.name + "=" + bad.value + ": " +
         bad.text.substr(bar + 1);
}

TEST(ParametersTest, BadValuesAreRefusedWithServiceLabelValueReasonAndHint) {
  for (const Bad& bad : BadValues()) {
    SCOPED_TRACE(bad.name + "=" + bad.value);
    const ParsedService parsed = Parse({{"servicePath", "/x"}, {bad.name, bad.value}});
    EXPECT_THAT(Texts(parsed), ElementsAre(Expected(bad)));
    EXPECT_FALSE(parsed.spec);
  }
}

TEST(ParametersTest, HarmlessChoicesThatDoNotExistAreOnlyWarnings) {
  const ParsedService discovery = Parse({{"servicePath", "/x"}, {"discoveryType", "consul"}});
  EXPECT_TRUE(discovery.spec);
  EXPECT_THAT(Texts(discovery),
              ElementsAre("warning bad-discovery-type: service web: com.df.discoveryType=consul: "
                          "there is no such way to find the tasks. Write DNS, or leave it out: "
                          "tasks are then found through Docker"));
  const ParsedService session = Parse({{"servicePath", "/x"}, {"sessionType", "cookie"}});
  EXPECT_TRUE(session.spec);
  EXPECT_THAT(Texts(session),
              ElementsAre("warning bad-session-type: service web: com.df.sessionType=cookie: there "
                          "is no such kind of session, so requests are spread evenly. Write "
                          "sticky-server, or leave it out"));
  const ParsedService timeout = Parse({{"servicePath", "/x"}, {"timeoutTunnel", "0"}});
  EXPECT_EQ(timeout.spec->dests.at(0).policy->timeout_tunnel, std::chrono::hours(24 * 24));
  EXPECT_THAT(Texts(timeout),
              ElementsAre("warning no-timeout: service web: com.df.timeoutTunnel=0: 0 means no "
                          "timeout, which is taken as 24 days. Write the longest time that an "
                          "answer may take"));
}

TEST(ParametersTest, TheOperatorMayLeadToTheProxysOwnMachine) {
  for (const Source source : {Source::kQuery, Source::kEnvironment}) {
    ParseOptions options;
    options.source = source;
    EXPECT_TRUE(Parse({{"servicePath", "/x"}, {"outboundHostname", "127.0.0.1"}}, options).spec);
  }
}

// --- paths ------------------------------------------------------------------------------

struct Path {
  std::string type;
  std::string path;
  std::string expected;
};

TEST(ParametersTest, PathTypesMakeMatches) {
  const std::vector<Path> kPaths = {
      {"", "/demo", "prefix /demo"},
      {"path_beg", "/demo", "prefix /demo"},
      {"path -m beg", "/demo", "prefix /demo"},
      {"path", "/demo", "exact /demo"},
      {"path_dir", "/demo/", "segment /demo"},
      {"path_dir", "/", "segment /"},
      {"", "/a, /b ,/c", "prefix /a + prefix /b + prefix /c"},
      {"", "/a\\,b", "prefix /a,b"},
      {"", "/%C3%A9;x=1&y", "prefix /%C3%A9;x=1&y"},
      {"path_end", ".js,.css", "regex ^.*\\.js$ + regex ^.*\\.css$"},
      {"path_sub", "img+", "regex ^.*img\\+.*$"},
      {"path_dom", "/img.", "regex ^(?:.*[/.:])?img(?:[/.:].*)?$"},
      {"path_len", "12", "regex ^.{12}$"},
      {"path_len", "1:20", "regex ^.{1,20}$"},
      {"path_len", "12:", "regex ^.{12,}$"},
      {"path_len", ":20", "regex ^.{0,20}$"},
      {"path_reg", "^/v[0-9]+/", "regex ^/v[0-9]+/.*$"},
      {"path_reg -i", "\\.(png|gif)$", "regex ^(?i:.*\\.(png|gif))$"},
      {"path_beg -i", "/Demo", "regex ^(?i:/Demo.*)$"},
      {"path -i", "/Demo", "regex ^(?i:/Demo)$"},
      {"path_dir -i", "/Demo/", "regex ^(?i:/Demo(?:/.*)?)$"},
      {"path_end -i", ".JS", "regex ^(?i:.*\\.JS)$"},
  };
  for (const Path& path : kPaths) {
    SCOPED_TRACE(path.type + " " + path.path);
    Parameters parameters = {{"servicePath", path.path}, {"servicePathExclude", path.path}};
    if (!path.type.empty()) parameters["pathType"] = path.type;
    const ParsedService parsed = Parse(parameters);
    EXPECT_THAT(Texts(parsed), IsEmpty());
    ASSERT_TRUE(parsed.spec);
    EXPECT_EQ(Show(Dest(*parsed.spec).paths), path.expected);
    EXPECT_EQ(Show(Dest(*parsed.spec).path_excludes), path.expected);
  }
}

TEST(ParametersTest, WhatTheUserWroteIsKeptWithItsPathType) {
  const ParsedService parsed = Parse({{"servicePath", ".js"}, {"pathType", "path_end"}});
  EXPECT_EQ(Dest(*parsed.spec).paths.at(0).original, "path_end .js");
  EXPECT_EQ(Dest(*Parse({{"servicePath", "/a"}}).spec).paths.at(0).original, "path_beg /a");
}

struct BadPath {
  std::string type;
  std::string path;
  std::string text;
};

TEST(ParametersTest, BadPathsAreRefused) {
  const std::vector<BadPath> kPaths = {
      {"path_beg", "demo", "\"demo\" does not begin with /. Did you mean \"/demo\"?"},
      {"path_beg", "/a b",
       "\"/a b\" contains white space. Write %20 where a path contains a space"},
      {"path_beg", "/a?b=c",
       "\"/a?b=c\" contains a ? or #, which end the path of a URL. Write only the path; the query "
       "of a URL is not compared"},
      {"path_beg", "/a#b",
       "\"/a#b\" contains a ? or #, which end the path of a URL. Write only the path; the query of "
       "a URL is not compared"},
      {"path_beg", "/é",
       "\"/é\" contains a byte that cannot stand in the path of a URL. Write it percent-encoded, "
       "as %C3%A9 for é"},
      {"path", "", ""},
      {"path_len", "abc",
       "\"abc\" is not a length. Write a number such as 12, or a range such as 12:20, 12: or :20"},
      {"path_len", "20:12",
       "\"20:12\" is not a length. Write a number such as 12, or a range such as 12:20, 12: or "
       ":20"},
      {"path_len", ":",
       "\":\" is not a length. Write a number such as 12, or a range such as 12:20, 12: or :20"},
      {"path_dom", "/.", "\"/.\" names nothing to compare with. Write a path such as /demo"},
  };
  for (const BadPath& path : kPaths) {
    if (path.path.empty()) continue;
    SCOPED_TRACE(path.type + " " + path.path);
    const ParsedService parsed = Parse({{"servicePath", path.path}, {"pathType", path.type}});
    EXPECT_FALSE(parsed.spec);
    EXPECT_THAT(Texts(parsed), ElementsAre("error bad-path: service web: com.df.servicePath=" +
                                           path.path + ": " + path.text));
  }
  const std::string most(1024, 'a');
  EXPECT_TRUE(Parse({{"servicePath", "/" + most.substr(1)}}).spec);
  EXPECT_FALSE(Parse({{"servicePath", "/" + most}}).spec);
}

TEST(ParametersTest, AStarInAPathIsLiteralAndSaidSo) {
  const ParsedService parsed = Parse({{"servicePath", "/api/*"}});
  EXPECT_EQ(Show(Dest(*parsed.spec).paths), "prefix /api/*");
  EXPECT_THAT(Texts(parsed),
              ElementsAre("warning literal-star: service web: com.df.servicePath=/api/*: "
                          "\"/api/*\" contains a *, which is compared literally. path_beg and "
                          "path_dir match all that is below; use path_reg for patterns"));
}

// --- hosts ------------------------------------------------------------------------------

struct Host {
  std::string algo;
  std::string host;
  std::string expected;
};

TEST(ParametersTest, DomainsMakeMatches) {
  const std::vector<Host> kHosts = {
      {"", "a.com", "exact a.com"},
      {"", "localhost", "exact localhost"},
      {"", "A.Com, b.com", "exact a.com + exact b.com"},
      {"", "*.a.com", "wildcard .a.com"},
      {"", "*acme.com", "regex ^[^/|]*acme\\.com$"},
      {"", "*", ""},
      {"", "*,a.com", "any  + exact a.com"},
      {"", "xn--bcher-kva.example", "exact xn--bcher-kva.example"},
      {"hdr(host)", "a.com", "exact a.com"},
      {"hdr(host) -i", "a.com", "exact a.com"},
      {"req.hdr(Host)", "a.com", "exact a.com"},
      {"hdr_beg(host)", "www.,api-", "regex ^www\\.[^/|]*$ + regex ^api-[^/|]*$"},
      {"hdr_end(host)", ".a.com", "wildcard .a.com"},
      {"hdr_end(host)", "a.com", "regex ^[^/|]*a\\.com$"},
      {"hdr_end(host)", "*.a.com", "wildcard .a.com"},
      {"hdr_sub(host)", "dev", "regex ^[^/|]*dev[^/|]*$"},
      {"hdr_dom(host)", "a.com", "regex ^(?:[^/|]*\\.)?a\\.com(?:\\.[^/|]*)?$"},
      {"hdr_dom(host)", ".dev.", "regex ^(?:[^/|]*\\.)?dev(?:\\.[^/|]*)?$"},
      {"hdr_reg(host)", "^[a-z]+\\.a\\.com$", "regex ^[a-z]+\\.a\\.com$"},
      {"hdr_reg(host)", "(^|\\.)A\\.com$", "regex ^(?i:(|[^/|]*\\.)A\\.com)$"},
  };
  for (const Host& host : kHosts) {
    SCOPED_TRACE(host.algo + " " + host.host);
    Parameters parameters = {{"serviceDomain", host.host}};
    if (!host.algo.empty()) parameters["serviceDomainAlgo"] = host.algo;
    const ParsedService parsed = Parse(parameters);
    EXPECT_THAT(Texts(parsed), IsEmpty());
    ASSERT_TRUE(parsed.spec);
    EXPECT_EQ(Show(Dest(*parsed.spec).hosts), host.expected);
    EXPECT_EQ(Show(Dest(*parsed.spec).paths), "prefix /");
  }
}

TEST(ParametersTest, TheOperatorsDomainAlgoIsTheDefault) {
  ParseOptions options;
  options.domain_algo = "hdr_end(host)";
  EXPECT_EQ(Show(Dest(*Parse({{"serviceDomain", ".a.com"}}, options).spec).hosts),
            "wildcard .a.com");
  EXPECT_EQ(
      Show(Dest(*Parse({{"serviceDomain", "a.com"}, {"serviceDomainAlgo", "hdr(host)"}}, options)
                     .spec)
               .hosts),
      "exact a.com");
  options.domain_algo = "nonsense";
  EXPECT_THAT(Texts(Parse({{"serviceDomain", "a.com"}}, options)),
              ElementsAre("error bad-domain-algo: service web: SERVICE_DOMAIN_ALGO=nonsense: there "
                          "is no such way to compare domains. Write one of hdr(host), "
                          "hdr_beg(host), hdr_end(host), hdr_dom(host), hdr_sub(host), "
                          "hdr_reg(host)"));
}

TEST(ParametersTest, APortOrADotAtTheEndOfADomainIsLeftOffWithAWarning) {
  const ParsedService parsed = Parse({{"serviceDomain", "a.com:8080,b.com."}});
  EXPECT_EQ(Show(Dest(*parsed.spec).hosts), "exact a.com + exact b.com");
  EXPECT_THAT(
      Texts(parsed),
      ElementsAre("warning host-dot: service web: com.df.serviceDomain=a.com:8080,b.com.: "
                  "\"b.com.\" ends with a dot, which is left off. Write the name without it",
                  "warning host-port: service web: com.df.serviceDomain=a.com:8080,b.com.: "
                  "\"a.com:8080\" names a port, which is left off. Use srcPort for requests that "
                  "come in by a certain port"));
}

TEST(ParametersTest, BadDomainsAreRefused) {
  const std::string long_label(64, 'a');
  const std::vector<Host> kHosts = {
      {"hdr(host)", "a..com",
       "\"a..com\" is not a host name. Write letters, digits and - between dots, as in "
       "a.example.com"},
      {"hdr(host)", long_label + ".com",
       "\"" + long_label +
           ".com\" is not a host name. Write letters, digits and - between dots, as in "
           "a.example.com"},
      {"hdr(host)", "a b.com",
       "\"a b.com\" is not a host name. Write letters, digits and - between dots, as in "
       "a.example.com"},
      {"hdr(host)", "bücher.example",
       "\"bücher.example\" contains letters outside of ASCII. Write the name in punycode, as "
       "xn--bcher-kva.example for bücher.example"},
      {"hdr(host)", "a.*.com",
       "\"a.*.com\" has a * that is not its first character. Write *.example.com for all hosts "
       "below example.com"},
      {"hdr(host)", "*.*.com",
       "\"*.*.com\" has a * that is not its first character. Write *.example.com for all hosts "
       "below example.com"},
      {"hdr(host)", "*..com",
       "\"*..com\" is not a host name behind its *. Write *.example.com for all hosts below "
       "example.com"},
      {"hdr(host)", "https://a.com/x",
       "\"https://a.com/x\" is not only a host name. Write example.com, without http:// and "
       "without a path (that is servicePath)"},
      {"hdr(host)", "[::1]",
       "\"[::1]\" contains a : that does not begin a port. Write a name such as example.com; IPv6 "
       "addresses cannot be compared"},
      {"hdr_beg(host)", "a|b",
       "\"a|b\" is not a part of a host name. Write letters, digits, - and . only, as in "
       "a.example.com"},
  };
  for (const Host& host : kHosts) {
    SCOPED_TRACE(host.host);
    const ParsedService parsed =
        Parse({{"serviceDomain", host.host}, {"serviceDomainAlgo", host.algo}});
    EXPECT_FALSE(parsed.spec);
    EXPECT_THAT(Texts(parsed), ElementsAre("error bad-host: service web: com.df.serviceDomain=" +
                                           host.host + ": " + host.expected));
  }
}

// --- rewriting --------------------------------------------------------------------------

TEST(ParametersTest, RewritesArePairsWithEscapes) {
  const ParsedService parsed =
      Parse({{"servicePath", "/x"},
             {"reqPathSearchReplace", "^/demo/(.*),/\\1:/a\\,b,/c:(?\\:x|y),:\\d\\\\,/z"}});
  EXPECT_THAT(Texts(parsed), IsEmpty());
  EXPECT_THAT(
      Dest(*parsed.spec).policy->path_rewrites,
      ElementsAre(model::PathRewrite{"^/demo/(.*)", "/\\1"}, model::PathRewrite{"/a,b", "/c"},
                  model::PathRewrite{"(?:x|y)", ""}, model::PathRewrite{"\\d\\\\", "/z"}));
}

TEST(ServiceCertTest, LineBreaksComeAsTwoCharactersAndTheValueIsNeverShown) {
  const auto parsed = testing::Parse(
      {{"servicePath", "/"}, {"port", "80"}, {"serviceCert", "BEGIN hunter2\\nEND\\n"}});
  ASSERT_TRUE(parsed.spec);
  EXPECT_EQ(parsed.spec->certificate.reveal(), "BEGIN hunter2\nEND\n");
  EXPECT_TRUE(parsed.diagnostics.empty());
  const auto lines = testing::Parse(
      {{"servicePath", "/"}, {"port", "80"}, {"serviceCert", "a\n" + std::string(5000, 'b')}});
  ASSERT_TRUE(lines.spec);
  EXPECT_EQ(lines.spec->certificate.reveal().size(), 5002U);
  const auto long_one = testing::Texts(testing::Parse(
      {{"servicePath", "/"}, {"port", "80"}, {"serviceCert", std::string(70'000, 'h')}}));
  ASSERT_EQ(long_one.size(), 1U);
  EXPECT_EQ(long_one[0].find("hhh"), std::string::npos);
}

}  // namespace
}  // namespace swarmgate::labels
