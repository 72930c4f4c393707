// Which certificate answers for which name.
#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

#include "swarmgate/certs/certificate.h"

namespace swarmgate::certs {
namespace {

/// The first glob that names it; their number when none does.
std::size_t RankOf(const model::Certificate& certificate,
                   const std::vector<std::string>& preferred) {
  std::size_t rank = 0;
  while (rank < preferred.size() && !GlobMatches(preferred[rank], certificate.name)) ++rank;
  return rank;
}

/// Clients choose between kinds of keys, so that each kind may have a certificate of its own.
std::string KindOf(const model::Certificate& certificate) {
  return certificate.key_kind.substr(0, certificate.key_kind.find(' '));
}

}  // namespace

bool GlobMatches(std::string_view glob, std::string_view text) {
  std::size_t g = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      resume = t;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == text[t])) {
      ++g;
      ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

Choice Choose(const std::vector<model::Certificate>& certificates,
              const model::Certificate& self_signed, const std::vector<std::string>& preferred) {
  Choice choice;
  choice.served.resize(certificates.size());
  std::vector<std::size_t> order(certificates.size());
  std::iota(order.begin(), order.end(), std::size_t{0});

  const auto by_name = [&](std::size_t index) {
    const model::Certificate& c = certificates[index];
    return std::make_tuple(RankOf(c, preferred), std::string_view(c.name), c.source,
                           std::string_view(c.where), std::string_view(c.fingerprint));
  };
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return by_name(a) < by_name(b); });
  if (!order.empty()) choice.fallback = order.front();
  const model::Certificate& fallback = order.empty() ? self_signed : certificates[order.front()];
  choice.tls.default_pem = fallback.pem;
  choice.tls.default_print = fallback.proxy_print;

  const auto by_end = [&](std::size_t index) {
    const model::Certificate& c = certificates[index];
    return std::make_tuple(RankOf(c, preferred), -c.not_after, c.source, std::string_view(c.name),
                           std::string_view(c.where), std::string_view(c.fingerprint));
  };
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return by_end(a) < by_end(b); });
  std::map<std::pair<std::string, std::string>, std::size_t> owners;
  for (const std::size_t index : order) {
    for (const std::string& name : certificates[index].dns_names) {
      if (owners.emplace(std::pair(name, KindOf(certificates[index])), index).second) {
        choice.served[index].push_back(name);
      }
    }
  }
  for (std::size_t i = 0; i < certificates.size(); ++i) {
    if (choice.served[i].empty()) continue;
    choice.tls.entries.push_back(
        {certificates[i].name, choice.served[i], certificates[i].pem, certificates[i].staple});
  }
  std::sort(choice.tls.entries.begin(), choice.tls.entries.end(),
            [](const model::TlsEntry& a, const model::TlsEntry& b) {
              return std::make_tuple(std::string_view(a.name), a.pem.reveal()) <
                     std::make_tuple(std::string_view(b.name), b.pem.reveal());
            });
  return choice;
}

}  // namespace swarmgate::certs
