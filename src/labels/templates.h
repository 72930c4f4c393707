// Templates of services: text of a file and fields of a service → HAProxy's own language, taken
// apart and checked. Mustache, with the part of Go's syntax that the predecessor's templates use
// put into it. It exists apart from the setters because both templates are one matter, and need
// all other parameters first.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "swarmgate/base/error.h"
#include "swarmgate/model/service_spec.h"

namespace swarmgate::labels {

/// Names of the predecessor's fields → values. An empty text or list is one that is not given.
struct TemplateFields {
  std::map<std::string, std::string> texts;
  std::map<std::string, std::vector<std::string>> lists;
};

/// What a template may name: fields of the service, and behind ServiceDest those of each
/// destination. The first destination's can be named without it.
struct TemplateData {
  TemplateFields service;
  std::vector<TemplateFields> dests;
  std::set<std::string> withheld;  ///< names of parameters whose values may be secrets
};

inline constexpr std::size_t kMaxTemplateBytes = 64U << 10U;

/// Errors: kInvalidArgument, with what is wrong and where: a tag that is not closed, a field that
/// there is none of, something of Go's that is not understood, more output than 1 MiB.
[[nodiscard]] Result<std::string> RenderTemplate(std::string_view text, const TemplateData& data);

/// A frontend's lines and backends, made the service's own: what they call acl and backend is
/// called "<service>:<name>", and requests go to these backends only.
/// Errors: kInvalidArgument, naming the line.
[[nodiscard]] Result<model::RawService> TakeSections(const model::ServiceName& service,
                                                     std::string_view frontend,
                                                     std::string_view backends);

/// The lines of a single backend, for the section that the service has anyway. Lines about servers
/// are left out, and told so. Errors: kInvalidArgument, naming the line.
struct BackendLines {
  std::vector<std::string> lines;
  bool servers = false;
};
[[nodiscard]] Result<BackendLines> TakeBackendLines(std::string_view text);

/// Would this line, by its first word (lower case), end a backend's section or change what it is?
[[nodiscard]] bool IsForeignWord(std::string_view word);

/// The first of these lines that HAProxy ignores, with a warning only, in a backend that speaks no
/// HTTP; empty for none. A restriction among them would not be carried out.
[[nodiscard]] std::string_view FirstHttpLine(const std::vector<std::string>& lines);
/// Is it about servers?
[[nodiscard]] bool IsServerWord(std::string_view word);

}  // namespace swarmgate::labels
