#include "labels/placement.h"

#include <algorithm>
#include <utility>

#include "labels/matches.h"
#include "labels/values.h"
#include "swarmgate/base/strings.h"
#include "swarmgate/model/names.h"

namespace swarmgate::labels {
namespace {

model::Origin OriginOf(Source source) {
  switch (source) {
    case Source::kLabel:
      return model::Origin::kDocker;
    case Source::kQuery:
      return model::Origin::kManual;
    case Source::kEnvironment:
      break;
  }
  return model::Origin::kStatic;
}

std::size_t Position(const Parameter& parameter) {
  return static_cast<std::size_t>(&parameter - Parameters().data());
}

}  // namespace

IndexedName TakeApart(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return {name, false, 0};
  const auto number = ParseUint(name.substr(dot + 1), kMaxIndex);
  if (!number || *number == 0) return {name.substr(0, dot), true, std::nullopt};
  return {name.substr(0, dot), true, static_cast<int>(*number)};
}

model::Severity NoEffect(const Parameter& parameter) {
  return parameter.restricts ? model::Severity::kError : model::Severity::kWarning;
}

Placement::Placement(const ParseOptions& options, Report& report)
    : options_(options), report_(report) {
  const auto table = Parameters();
  const auto with_effect =
      std::find_if(table.begin(), table.end(), [](const Parameter& p) { return p.set == nullptr; });
  table_ = table.first(static_cast<std::size_t>(with_effect - table.begin()));
  given_.resize(table_.size());
}

std::string Placement::Shown(std::string_view name) const {
  return model::ShownParameter(OriginOf(options_.source), options_.label_prefix, name);
}

std::string_view Placement::Kind() const {
  switch (options_.source) {
    case Source::kLabel:
      return "label";
    case Source::kEnvironment:
      return "variable";
    case Source::kQuery:
      break;
  }
  return "parameter";
}

void Placement::About(const std::string& name, std::string_view value, const Parameter& parameter) {
  report_.About(Shown(name), parameter.secret ? kNotShown : value, parameter.hint);
}

void Placement::Unknown(const std::string& name, const IndexedName& apart) {
  static const auto* const candidates = new std::vector<std::string>(ParameterNames());
  // Whoever has many unknown labels has no typos, but labels of something else.
  constexpr std::size_t kMostSuggestions = 32;
  const bool suggest = ++unknown_ <= kMostSuggestions;
  const auto closest = suggest ? ClosestMatch(apart.base, *candidates) : std::nullopt;
  // Nobody knows whether a secret was meant.
  report_.About(Shown(name), kNotShown);
  std::string hint;
  if (closest) {
    const std::string index = apart.has_index ? name.substr(apart.base.size()) : "";
    hint = "Did you mean " + Shown(*closest + index) + "?";
  }
  report_.Warning("unknown-label", "unknown " + std::string(Kind()), hint);
}

void Placement::Place(const std::string& name, const std::string& value) {
  IndexedName apart = TakeApart(name);
  Found found = FindParameter(name);
  if (found.parameter != nullptr) {
    apart = {name, false, 0};
  } else if (apart.has_index) {
    found = FindParameter(apart.base);
  }
  if (found.parameter == nullptr) return Unknown(name, apart);
  const Parameter& parameter = *found.parameter;
  if (parameter.effect == Effect::kElsewhere) return;
  About(name, value, parameter);
  if (apart.has_index && !IndexAllowed(parameter, apart)) return;
  if (!found.exact) {
    report_.Warning("letter-case", "the letter case differs from " + std::string(parameter.name),
                    "Write " + Shown(std::string(parameter.name) + name.substr(apart.base.size())));
  }
  if (parameter.effect == Effect::kReplaced) {
    return report_.Info("replaced", std::string(parameter.name) + " has no effect here",
                        parameter.help);
  }
  if (parameter.effect == Effect::kObsolete) {
    return report_.Info("obsolete", "Docker Flow Proxy had dropped it, and it has no effect",
                        parameter.help);
  }
  const Given next{&name, &value, found.exact, apart.base == parameter.alias};
  Keep(parameter, static_cast<std::size_t>(*apart.index), next);
}

bool Placement::IndexAllowed(const Parameter& parameter, const IndexedName& apart) {
  if (!apart.index) {
    report_.Warning("bad-index", "there is no such destination, so it is left out",
                    "Destinations are numbered .1 to .10, or have no number");
    return false;
  }
  if (parameter.level == Level::kService) {
    report_.Add(NoEffect(parameter), "not-indexable",
                std::string(parameter.name) +
                    " concerns the whole service, so with an index it is left out",
                "Write " + Shown(parameter.name));
    return false;
  }
  return true;
}

void Placement::Keep(const Parameter& parameter, std::size_t index, const Given& next) {
  Given& place = given_[Position(parameter)][index];
  const auto rank = [](const Given& given) {
    return (given.exact ? 2 : 0) - (given.alias ? 1 : 0);
  };
  const bool replaces = place.name == nullptr || rank(next) > rank(place);
  if (place.name != nullptr) {
    const Given& loser = replaces ? place : next;
    const Given& winner = replaces ? next : place;
    About(*loser.name, *loser.value, parameter);
    report_.Warning("given-twice",
                    "it is left out, because " + Shown(*winner.name) + " says the same parameter");
  }
  if (replaces) place = next;
}

const Given* Placement::Lookup(std::size_t position, std::size_t index) {
  const Given& given = given_[position][index];
  if (given.name == nullptr) return nullptr;
  if (!Trim(*given.value).empty()) return &given;
  About(*given.name, "", table_[position]);
  if (table_[position].restricts) {
    report_.Error("empty-value", "the value is empty, and it restricts who may send what");
  } else {
    report_.Warning("empty-value", "the value is empty, so it counts as not given");
  }
  return nullptr;
}

}  // namespace swarmgate::labels
