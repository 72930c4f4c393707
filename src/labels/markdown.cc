// docs/labels.md: the page of all parameters, out of the table.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "labels/schema.h"
#include "swarmgate/labels/parse.h"

namespace swarmgate::labels {
namespace {

constexpr std::string_view kHead = R"(# Labels

<!-- Written by the program from its table of parameters; a test compares. After a change of the
     table: UPDATE_GOLDEN=1 build/dev/test/labels_test -->

A service is served when it carries the label `com.df.notify=true`. What it is served as is said
by further labels `com.df.<name>=<value>`. The same names are parameters of an API call
(`reconfigure?serviceName=go-demo&servicePath=/demo&port=8080`) and, in upper case behind
`DFP_SERVICE_`, variables for static services (`DFP_SERVICE_SERVICE_PATH=/demo`).

```sh
docker service create --name go-demo --network proxy \
  -l com.df.notify=true \
  -l com.df.servicePath=/demo \
  -l com.df.port=8080 \
  example/go-demo
```

For a Swarm service the labels belong to the service (`deploy.labels` in a stack file), for
a container or a compose service to the container (`labels`).

## Rules

- **Names** are compared exactly first. Another letter case is understood, with a warning. An
  unknown name is a warning, with the name that was probably meant; the rest is honoured.
  Only `notify` must be written exactly: Docker itself is asked for it, and what does not carry
  it is not seen at all. `swarmgate lint` finds it in another letter case, or mistyped.
- **Values** are trimmed. An empty value counts as not given. Control characters, and values
  above 4096 bytes, are refused.
- **Mistakes** cost as little as can be: a bad value for one destination leaves out that
  destination; a bad value for the service leaves out the service; no other service is touched.
  Each mistake is told once in the log, in `swarmgate status`, in the API and in a metric, with
  service, label, value, what is wrong and what to write instead. `swarmgate lint FILE` tells
  beforehand.
- **Lists** are divided by commas (`SEPARATOR`). Items are trimmed; `\,` is a comma inside
  an item. At most 64 items each once.
- **boolean** is `true` or `false` (also `1 t T TRUE True` and `0 f F FALSE False`).
- **port** is 1 to 65535. **duration** is seconds (`60`), or `500ms`, `1m`, `1h30m`, up to 24
  days. **name** is letters, digits, `.`, `-`, `_`, the first a letter or digit, at most 128.

### Several destinations

Parameters that are marked with *index* may carry an index from `.1` to `.10`, each index being
a destination of its own; gaps are allowed:

```yaml
com.df.servicePath.1: /api
com.df.port.1: "8080"
com.df.servicePath.2: /admin
com.df.serviceDomain.2: admin.example.com
com.df.port.2: "8081"
com.df.timeoutServer: "60"    # of both
```

- Destination *i* exists when one of `servicePath.i`, `serviceDomain.i`, `port.i`,
  `httpsPort.i` is given. These four are never taken from their unindexed forms.
- Every other parameter without an index holds for all destinations that do not have their own.
- As soon as there is one destination with an index, unindexed `servicePath`,
  `serviceDomain`, `port` and `httpsPort` are left out, with a warning.
- `.0`, `.11` and the like are left out, with a warning.

### Paths

A destination needs `servicePath` or `serviceDomain`; with only a domain its path is `/`.

| pathType | `/demo` matches |
|---|---|
| `path_beg` | `/demo`, `/demo/x` and `/demolition` |
| `path_dir` | `/demo` and `/demo/x` |
| `path` | `/demo` |
| `path_end`, `path_sub`, `path_dom` | paths that end with it, contain it, contain it between `/`, `.` or `:` |
| `path_len` | with a number or range (`12`, `12:20`) instead of a path: paths of that length |
| `path_reg` | with a regex instead of a path: paths in which it is found |

`path`, `path_beg` and `path_dir` cost nothing, however many there are; the others are tried one
by one. Paths begin with `/`, are ASCII (percent-encoded where needed), without `?`, `#` and
white space, and at most 1024 bytes long. A `*` has no meaning in a path. `-i` behind the type,
as in `path_beg -i`, ignores letter case.

### Domains

`a.example.com` is that host. `*.example.com` is every host below example.com, up to four labels
deep, not example.com itself; `*example.com` is every host that ends so. A port or a dot at the end is left off. Names
outside of ASCII are written in punycode (`xn--…`). `serviceDomainAlgo` compares otherwise; unlike
in Docker Flow Proxy the default is equality, because `hdr_beg(host)` lets `a.com` match
`a.com.evil.net`.

### Regexes

Regexes are those of PCRE: characters, `.`, `[…]`, `\d \w \s \b` and their opposites,
`\xHH`, `( )`, `(?: )`, `(?i: )`, `(?> )`, `|`, all repetitions, `^` first and `$`
last; for paths also lookaheads `(?= )` and `(?! )`. Not: back-references, lookbehind, named groups,
recursion. A comma is written `\,`, a space `\x20`. At most 512 bytes each, and 64 for
a service.

A regex that could take long on some text would stop the proxy for everybody, so these are
refused: groups repeated in an ambiguous way (`(a+)+`, `(a|a)*`; `(/[a-z]+)+` is fine, because
each round begins with a character that occurs nowhere else in it), and more than two repetitions
that can match the same text (`.*a.*b.*c`).

### Headers

`addReqHeader`, `setReqHeader`, `addResHeader`, `setResHeader` take *name value*, and perhaps a
condition: `X-Forwarded-Ssl on if { ssl_fc }`. Words in `"…"` or `'…'` are text as they stand, so that a
comma or an `if` in them means nothing. Each request has one `X-Forwarded-For`, `-Proto`, `-Host` and `-Port`
([how they are filled](operation.md#when-something-is-wrong)); these are set, never added a second time, by `addReqHeader` as well.
Values may contain these expressions of HAProxy; a `%` elsewhere is a `%`:

- `%[…]` with `dst dst_port src src_port method base path pathq query url req.hdr(N) hdr(N) req.cook(N)
  url_param(N) res.hdr(N) res.cook(N) status srv_name unique-id uuid date rand int(n) str(text) hostname
  env(HOSTNAME) ssl_fc ssl_fc_sni ssl_fc_protocol ssl_fc_cipher ssl_c_used ssl_c_verify ssl_c_s_dn
  ssl_c_i_dn ssl_c_serial ssl_c_sha1 ssl_c_der ssl_c_notbefore ssl_c_notafter` and some more of their kind,
  behind which may stand `lower upper base64 hex url_enc url_dec length field(n,c) word(n,c) iif(a,b)
  host_only port_only sha1 sha2(n) json ltime(f) utime(f) http_date ipmask(n)` and arithmetic; what only a
  request has cannot stand in a header of the answer, and the other way round
- `%ci %cp %fi %fp %b %s %f %ID %rt %t %T %Ts %H` and the like; `%b` is the name of the service
- flags before both: `%{+Q}[ssl_c_s_dn]`

Conditions are `if` or `unless` with terms `{ ssl_fc }`, `!{ ssl_fc }`, `{ method GET }`,
`{ path_beg /x }` (also `path path_end path_sub path_dir query`), `{ hdr(Name) -m found }`,
`{ hdr(Name) value }`, `{ src 10.0.0.0/8 }`, `{ dst_port 443 }`, `{ ssl_c_verify 0 }`, for answers
`{ status 404 }` and `{ res.hdr(Name) … }`; terms in a row must all hold, `or` begins an alternative.
Everything else is HAProxy's own configuration and needs `ALLOW_RAW_CONFIG`.

### Which route wins

In short: paths below `/.well-known`; then services with an `aclName`, by its order; then the
more specific host (a name, the longest wildcard, a regex, none), then the more specific path
(equal, the longest prefix, a regex, `/`), then a route with `srcPort`, then the older service.
`isDefaultBackend` comes after all. [routing.md](routing.md) has it in full, and
`swarmgate why URL` explains a decision.

)";

// Plain text in a table cell: bars end a cell, stars and backslashes mean something.
std::string Cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("|*\\").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string Code(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string Title(const Parameter& parameter) {
  std::string title = Code(parameter.name);
  if (!parameter.alias.empty()) title += " (" + Code(parameter.alias) + ")";
  return title;
}

std::string Honoured(Level level) {
  std::string out = "| Name | Type | Default | Meaning | Example |\n|---|---|---|---|---|\n";
  for (const Parameter& parameter : Parameters()) {
    if (parameter.set == nullptr || parameter.level != level) continue;
    std::string help = Cell(parameter.help);
    if (parameter.effect == Effect::kAccepted) help += " *Accepted, without effect yet.*";
    out += "| " + Title(parameter) + " | " + Cell(parameter.type) + " | " +
           (parameter.fallback.empty() ? "–" : Cell(parameter.fallback)) + " | " + help + " | " +
           Code(parameter.example) + " |\n";
  }
  return out;
}

constexpr const char* kCosts =
    "Almost everything is changed at run time, by commands to the running HAProxy: services and "
    "tasks that\ncome and go, their routes, and every parameter that does not stand below. These "
    "cost a **reload**, which\nloses no request and is counted and told with its reason "
    "(`RELOAD_PLANNED`):\n\n";
constexpr const char* kCostsOfSections =
    "  The first service with the set pays for it. Whoever asks for the same set after it does "
    "not: "
    "room for four\n  destinations is made at once, and twice as much whenever it runs out. A set "
    "of `users` with `usersPassEncrypted`\n  counts as well; plain ones do not. In `reqMode=tcp` "
    "and `sni`, so do `timeoutServer`, `timeoutTunnel` and\n  `balanceGroup`.\n";
constexpr const char* kCostsOfOthers =
    "  Services and tasks behind a port that is open already cost nothing.\n"
    "- A certificate (`serviceCert`) of more than 12 kB.\n"
    "- More services than there is room for: the room doubles.\n";

std::string Replaced() {
  std::string out = "| Name | Instead |\n|---|---|\n";
  for (const Parameter& parameter : Parameters()) {
    if (parameter.effect != Effect::kReplaced) continue;
    out += "| " + Title(parameter) + " | " + Cell(parameter.help) + " |\n";
  }
  return out;
}

template <typename Select>
std::string Names(Select select) {
  std::vector<std::string> names;
  for (const Parameter& parameter : Parameters()) {
    if (select(parameter)) names.push_back(Code(parameter.name));
  }
  std::sort(names.begin(), names.end());
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out + ".\n";
}

std::string Names(Effect effect) {
  return Names([effect](const Parameter& parameter) { return parameter.effect == effect; });
}

std::string Names(Cost cost) {
  return Names([cost](const Parameter& parameter) {
    return parameter.set != nullptr && parameter.cost == cost;
  });
}

std::string Costs() {
  return std::string(kCosts) +
         "- A set of values of these, which HAProxy fixes in a section: " + Names(Cost::kSection) +
         kCostsOfSections +
         "- A `srcPort` of `reqMode=tcp` or `sni` that has no service yet, and what holds for the "
         "whole port: " +
         Names(Cost::kPort) + kCostsOfOthers;
}

}  // namespace

std::string ParametersMarkdown() {
  std::string out(kHead);
  out += "## Parameters of a service\n\n" + Honoured(Level::kService);
  out += "\n## Parameters of a destination (*index*)\n\n" + Honoured(Level::kDest);
  out += "\n## What a change costs\n\n" + Costs();
  out += "\n## Replaced\n\n" + Replaced();
  out += "\nDocker Flow Proxy itself had dropped: " + Names(Effect::kObsolete);
  out += "\nMeant for Docker Flow Monitor and other companions, passed over in silence: " +
         Names(Effect::kElsewhere);
  return out;
}

}  // namespace swarmgate::labels
