// Parameters (labels, the query of an API call, DFP_SERVICE_* variables) → ServiceSpec +
// Diagnostics. Pure. One closed table (labels/schema.h) defines every parameter; parsing, errors,
// help and documentation derive from it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "swarmgate/base/error.h"
#include "swarmgate/base/few.h"
#include "swarmgate/model/diagnostic.h"
#include "swarmgate/model/service_spec.h"

namespace swarmgate::labels {

/// Where the parameters come from: decides the prefix shown in diagnostics and how strictly names
/// are judged.
enum class Source {
  kLabel,        ///< "com.df.<name>"; unknown names are warnings, with "did you mean"
  kQuery,        ///< "<name>"; unknown names are warnings
  kEnvironment,  ///< "DFP_SERVICE_<NAME>"
};

/// Users that are not written in parameters. Read by whoever may read files.
struct KnownUsers {
  /// <suffix> → text of the secret dfp_users_<suffix>.
  std::map<std::string, std::string> secrets;
  std::vector<model::Credential> global;  ///< USERS, as ParseUsers gave them
  /// Secrets are elsewhere (a file of labels is checked on a developer's machine): what is not
  /// found is an information. The result is then never served.
  bool elsewhere = false;
};

/// "user:password" items, separated by commas or line ends ("\," is a literal comma), as USERS and
/// secrets have them; sorted. Errors: kInvalidArgument with a sentence that shows nothing of them.
[[nodiscard]] Result<std::vector<model::Credential>> ParseUsers(std::string_view text,
                                                                bool encrypted);

/// Files of templates, as whoever may read files found them.
struct Templates {
  struct File {
    std::string text;
    std::string problem;  ///< why there is no text; empty: there is
    friend bool operator==(const File&, const File&) = default;
  };
  std::map<std::string, File> files;  ///< by the path as it was given, trimmed
  friend bool operator==(const Templates&, const Templates&) = default;
};

/// The files that parameters name (templateFePath, templateBePath); at most two.
[[nodiscard]] std::vector<std::string> TemplatePaths(
    const std::map<std::string, std::string>& parameters);

/// Those files, each asked of `read` once.
[[nodiscard]] Templates ReadTemplates(
    const std::map<std::string, std::string>& parameters,
    const std::function<Result<std::string>(const std::string& path)>& read);

struct ParseOptions {
  Source source = Source::kLabel;
  char separator = ',';          ///< SEPARATOR; "\," is a literal comma
  std::string domain_algo;       ///< SERVICE_DOMAIN_ALGO; empty: exact match
  std::string instance_name;     ///< PROXY_INSTANCE_NAME
  bool filter_instance = false;  ///< FILTER_PROXY_INSTANCE_NAME
  std::string label_prefix = "com.df.";
  bool https_only = false;                          ///< HTTPS_ONLY: every destination is httpsOnly
  model::ReqMode req_mode = model::ReqMode::kHttp;  ///< DEFAULT_REQ_MODE, without reqMode
  std::optional<model::ReqMode> static_req_mode;    ///< DEFAULT_PROTOCOL, for kEnvironment
  KnownUsers users;
  bool allow_raw = false;  ///< ALLOW_RAW_CONFIG: owners may write HAProxy's own language
  Templates templates;
  /// What tasks are verified against (UPSTREAM_CA_FILE); empty: nothing is there for it.
  std::string upstream_ca = "@system-ca";
  /// Certificates of clients can be verified (CA_FILE, CRT_LIST_PATH).
  bool verifies_clients = true;
};

struct ParsedService {
  /// Nothing when the service as a whole cannot be served: then at least one diagnostic is an
  /// error.
  Shared<model::ServiceSpec> spec;
  Few<model::Diagnostic> diagnostics;  ///< sorted, without repetition
  /// The service is meant for another instance (FILTER_PROXY_INSTANCE_NAME): no spec, no error.
  bool other_instance = false;
};

/// Parses parameters by name (without prefix, "servicePath", "port.1"). `name` is the service's
/// name; a serviceName parameter, where the source allows it, overrides it. A bad destination is
/// left out with an error diagnostic, the others stay. A service without any destination left has
/// no spec.
/// Codes that callers ask for: "missing-path" (neither servicePath nor serviceDomain),
/// "missing-src-port" (reqMode is not http, and it has not both of its ports).
[[nodiscard]] ParsedService ParseParameters(const model::ServiceName& name,
                                            const std::map<std::string, std::string>& parameters,
                                            const ParseOptions& options);

/// Picks the parameters out of a Docker object's labels: those that start with the prefix, prefix
/// removed, without "notify".
[[nodiscard]] std::map<std::string, std::string> ParametersFromLabels(
    const std::map<std::string, std::string>& labels, const ParseOptions& options);

/// The value of com.df.notify: opted in? A value that is no boolean gives a diagnostic and counts
/// as false; so does the name in another letter case, by which Docker does not find the object.
struct Notify {
  bool enabled = false;
  std::vector<model::Diagnostic> diagnostics;
};
[[nodiscard]] Notify ParseNotify(const model::ServiceName& name,
                                 const std::map<std::string, std::string>& labels,
                                 const ParseOptions& options);

/// Does one of the parameters ask for a destination (servicePath, port.2, …)?
[[nodiscard]] bool AskForDestination(const std::map<std::string, std::string>& parameters);

/// The label that probably was to be "notify", of those that nobody knows by their names.
[[nodiscard]] std::optional<std::string> MistypedNotify(
    const std::map<std::string, std::string>& parameters);

/// Checks a service name as it may stand in maps, files and logs.
[[nodiscard]] bool IsValidServiceName(std::string_view name);

/// The documentation page of all parameters in Markdown, from the table (docs/labels.md is
/// generated from it; a test compares).
[[nodiscard]] std::string ParametersMarkdown();

/// The parameter that an environment variable of a static service means, given without its
/// "DFP_SERVICE_" or "DFP_SERVICE_<n>_": "SERVICE_PATH_1" → "servicePath.1". A name that no
/// parameter has becomes lower camel case, so that ParseParameters can say so.
[[nodiscard]] std::string ParameterFromEnvironment(std::string_view variable);

/// May the value of this parameter be shown? Only of those that the table knows, in any letter case
/// and with or without index, and that hold no secret: whoever mistypes `users` has written a
/// password under a name that nobody knows.
[[nodiscard]] bool MayShowValue(std::string_view name);

/// For whoever comes from Docker Flow Proxy: one of its parameters, what it does here, and what
/// differs (empty: nothing), in Markdown; from the table of parameters.
struct MigrationRow {
  std::string name;
  std::string here;
  std::string differs;
};
/// In the order of its documentation.
[[nodiscard]] std::vector<MigrationRow> MigrationRows();
/// Parameters that it does not have; sorted.
[[nodiscard]] std::vector<std::string> AddedParameters();

/// All parameter names, for help and completion; sorted.
[[nodiscard]] std::vector<std::string> ParameterNames();

}  // namespace swarmgate::labels
