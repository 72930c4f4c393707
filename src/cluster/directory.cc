#include "cluster/directory.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "cluster/thread.h"
#include "swarmgate/base/log.h"

namespace swarmgate::cluster {
namespace {

constexpr Duration kFindDeadline{2000};
constexpr int kSlower = 5;
// Who is known to a source a moment after the start (a name that has just been made, a store that
// is just being read) is found soon.
constexpr Duration kFirstPause{50};

SteadyTime Now() { return std::chrono::steady_clock::now(); }

}  // namespace

std::string HostOf(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  std::string_view host = address.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return std::string(host);
}

Directory::Directory(const std::vector<ports::Peers*>& sources, Duration every) : every_(every) {
  for (ports::Peers* peers : sources) {
    sources_.push_back(std::make_unique<Source>());
    sources_.back()->peers = peers;
  }
}

Directory::~Directory() { Stop(); }

void Directory::Start() {
  for (const auto& source : sources_) {
    source->thread = Spawn([this, known = source.get()] { Loop(*known); });
  }
}

void Directory::Stop() {
  for (const auto& source : sources_) {
    source->wakeup.Close();
    source->peers->Cancel();
  }
  for (const auto& source : sources_) {
    if (source->thread.joinable()) source->thread.join();
  }
}

void Directory::Loop(Source& source) const {
  std::string told;
  Duration pause_alone = std::min(kFirstPause, every_);
  while (!source.wakeup.closed()) {
    auto found = source.peers->Find(Now() + kFindDeadline);
    if (source.wakeup.closed()) return;
    Known known{true, source.known.Get()->addresses};
    if (found) {
      told.clear();
      known.addresses = *std::move(found);
    } else if (const std::string text = found.error().ToString(); text != told) {
      told = text;
      LogEvent(LogLevel::kWarning, "PEERS_UNKNOWN",
               "other replicas cannot be looked for; those that were known stay",
               {{"error", text}});
    }
    // Where not even we ourselves are found for long nobody is soon to come: a name server on the
    // Internet need not be asked every second.
    Duration pause = every_;
    if (known.addresses.empty()) {
      pause = pause_alone;
      pause_alone = std::min(2 * pause_alone, kSlower * every_);
    }
    source.known.Set(std::make_shared<const Known>(std::move(known)));
    (void)source.wakeup.PopUntil(Now() + pause);
  }
}

std::vector<std::string> Directory::Addresses() const {
  std::set<std::string> all;
  for (const auto& source : sources_) {
    const auto known = source->known.Get();
    all.insert(known->addresses.begin(), known->addresses.end());
  }
  std::vector<std::string> addresses(all.begin(), all.end());
  if (addresses.size() > kMost) addresses.resize(kMost);
  return addresses;
}

bool Directory::asked() const {
  return std::all_of(sources_.begin(), sources_.end(),
                     [](const auto& source) { return source->known.Get()->asked; });
}

bool Directory::IsHostOfPeer(std::string_view host) const {
  constexpr std::string_view kMapped = "::ffff:";
  if (host.starts_with(kMapped)) host.remove_prefix(kMapped.size());
  const std::vector<std::string> addresses = Addresses();
  return std::any_of(addresses.begin(), addresses.end(),
                     [&](const std::string& address) { return HostOf(address) == host; });
}

}  // namespace swarmgate::cluster
