// Whatever comes out of the sockets: parsed or refused, never more.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "swarmgate/base/check.h"
#include "swarmgate/haproxy/plan.h"

namespace {

using namespace swarmgate::haproxy;  // NOLINT(google-build-using-namespace)

void CheckError(const swarmgate::Error& error) {
  SWARMGATE_CHECK(error.message.size() < 1000);
  SWARMGATE_CHECK(error.message.find('\n') == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view reply(reinterpret_cast<const char*>(data), size);
  Batch batch;
  batch.commands = 2;
  batch.added = 1;
  if (const auto status = CheckReply(batch, reply); !status) CheckError(status.error());
  if (const auto version = ParsePrepareReply(reply); !version) CheckError(version.error());
  if (const auto pid = ParsePid(reply)) {
    SWARMGATE_CHECK(*pid > 0);
  } else {
    CheckError(pid.error());
  }
  if (const auto entries = ParseShowMap(reply)) {
    for (const auto& [key, value] : *entries) {
      SWARMGATE_CHECK(!key.empty() && key.find(' ') == std::string::npos);
    }
  } else {
    CheckError(entries.error());
  }
  if (const auto servers = ParseServersState(reply); !servers) CheckError(servers.error());
  if (const auto sessions = ParseSessions(reply); !sessions) CheckError(sessions.error());
  if (const auto list = ParseCertificateList(reply); !list) CheckError(list.error());
  (void)ParseCertificatePrint(reply);
  if (const auto version = ParseVersion(std::string(reply)); !version) CheckError(version.error());
  return 0;
}
