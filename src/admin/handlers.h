// The admin API itself: a table of paths, each with a function from request and backend to
// response.
#pragma once

#include <string>
#include <string_view>

#include "admin/guard.h"
#include "admin/http_types.h"
#include "swarmgate/admin/backend.h"
#include "swarmgate/ports/replicas.h"

namespace swarmgate::admin {

struct HandlerContext {
  AdminBackend* backend = nullptr;
  ports::Replicas* replicas = nullptr;  ///< may be null
  std::string version;
  Duration write_deadline{15000};
  GuardOptions guard;
};

/// Is it the call that takes a PEM in its body?
[[nodiscard]] bool IsCertificateCall(std::string_view path);

/// Finds the handler, asks the guard, answers. Throws nothing of its own.
/// Thread: any.
[[nodiscard]] Response Handle(const Request& request, const HandlerContext& context);

/// "http://a.com:8081/x?y" → host, path and port; a text without "://" is taken for http.
/// Errors: kInvalidArgument.
struct UrlParts {
  std::string host;
  std::string path = "/";
  std::uint16_t port = 80;
};
[[nodiscard]] Result<UrlParts> ParseUrl(std::string_view url);

}  // namespace swarmgate::admin
