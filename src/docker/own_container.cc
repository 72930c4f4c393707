#include "docker/own_container.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "swarmgate/base/strings.h"

namespace swarmgate::docker {
namespace {

constexpr std::size_t kFullId = 64;
constexpr std::size_t kShortId = 12;
constexpr std::size_t kMaxFile = 1U << 20U;

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// The 64 hex digits that follow `mark`, with no further one after them.
std::string_view IdAfter(std::string_view text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return {};
  const std::string_view id = text.substr(at + mark.size(), kFullId);
  const std::string_view next = text.substr(std::min(text.size(), at + mark.size() + kFullId), 1);
  return id.size() == kFullId && IsHex(id) && !(next.size() == 1 && IsHex(next))
             ? id
             : std::string_view();
}

void AddOnce(std::vector<std::string>& ids, std::string_view id) {
  if (!id.empty() && std::find(ids.begin(), ids.end(), id) == ids.end()) ids.emplace_back(id);
}

std::string ReadProcFile(const char* path) {
  std::ifstream file(path);
  std::string text;
  std::string line;
  while (text.size() < kMaxFile && std::getline(file, line)) text += line + "\n";
  return text;
}

}  // namespace

std::vector<std::string> OwnContainerCandidates(std::string_view mountinfo, std::string_view cgroup,
                                                std::string_view hostname) {
  std::vector<std::string> ids;
  for (const std::string_view line : Split(mountinfo, '\n')) {
    // "<id> <parent> <device> <root> <mount point> …". Docker mounts its own files over these three
    // of a container. (A host sees containers' directories too, but at other mount points.)
    const auto fields = Split(line, ' ');
    if (fields.size() < 5) continue;
    if (fields[4] == "/etc/hostname" || fields[4] == "/etc/hosts" ||
        fields[4] == "/etc/resolv.conf") {
      AddOnce(ids, IdAfter(fields[3], "/containers/"));
    }
  }
  for (const std::string_view line : Split(cgroup, '\n')) {
    AddOnce(ids, IdAfter(line, "/docker/"));
    AddOnce(ids, IdAfter(line, "/docker-"));
    AddOnce(ids, IdAfter(line, line.substr(0, line.rfind('/') + 1)));
  }
  const bool short_id = hostname.size() == kShortId && IsHex(hostname);
  if (short_id && std::none_of(ids.begin(), ids.end(), [&](const std::string& id) {
        return id.compare(0, kShortId, hostname) == 0;
      })) {
    ids.emplace_back(hostname);
  }
  return ids;
}

std::vector<std::string> ReadOwnContainerCandidates() {
  char hostname[256] = "";
  if (gethostname(hostname, sizeof(hostname) - 1) != 0) hostname[0] = '\0';
  return OwnContainerCandidates(ReadProcFile("/proc/self/mountinfo"),
                                ReadProcFile("/proc/self/cgroup"), hostname);
}

}  // namespace swarmgate::docker
