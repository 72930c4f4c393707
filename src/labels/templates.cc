// Text of a template → text of HAProxy's.
#include "labels/templates.h"

#include <algorithm>
#include <kainjow/mustache.hpp>
#include <set>
#include <utility>

#include "labels/report.h"
#include "swarmgate/base/strings.h"

namespace swarmgate::labels {
namespace {

namespace mustache = kainjow::mustache;

constexpr std::size_t kMostDepth = 8;
constexpr std::size_t kMostOutput = 1U << 20U;
constexpr std::string_view kDests = "ServiceDest";
/// Beside each field there is one of this name that says whether it is given: a section of a list
/// would repeat itself.
constexpr std::string_view kGiven = "?";

tl::unexpected<Error> Bad(std::size_t line, const std::string& message) {
  return Fail(Code::kInvalidArgument, "line " + std::to_string(line) + ": " + message);
}

bool IsName(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

/// How large the fields are, so that the size of the output is known before it is made.
struct Sizes {
  std::map<std::string, std::size_t, std::less<>> longest;  ///< of a value, by name
  std::map<std::string, std::size_t, std::less<>> counts;   ///< items of a list, by name
  std::size_t longest_item = 0;
  std::set<std::string> withheld;

  void Add(const TemplateFields& fields) {
    for (const auto& [name, text] : fields.texts) Raise(longest[name], text.size());
    for (const auto& [name, items] : fields.lists) {
      Raise(counts[name], items.size());
      for (const std::string& item : items) Raise(longest_item, item.size());
    }
  }
  [[nodiscard]] bool IsKnown(std::string_view name) const {
    return longest.count(name) != 0 || counts.count(name) != 0;
  }
  static void Raise(std::size_t& most, std::size_t value) { most = std::max(most, value); }
};

/// Reads the tags one by one, checks them, and writes them as mustache has them.
class Translator {
 public:
  Translator(std::string_view text, const Sizes& sizes) : text_(text), sizes_(sizes) {}

  Result<std::string> Run() {
    while (true) {
      const std::size_t open = text_.find("{{", at_);
      Literal(text_.substr(at_, std::min(open, text_.size()) - at_));
      if (open == std::string_view::npos) break;
      const bool triple = text_.substr(open, 3) == "{{{";
      const std::string_view end = triple ? "}}}" : "}}";
      const std::size_t begin = open + end.size();
      const std::size_t close = text_.find(end, begin);
      if (close == std::string_view::npos) return Bad(line_, "{{ is not closed by }}");
      const std::string_view whole = text_.substr(begin, close - begin);
      if (const Status read = Tag(Tidy(whole)); !read) return Forward(read.error());
      line_ += static_cast<std::size_t>(std::count(whole.begin(), whole.end(), '\n'));
      at_ = close + end.size();
      if (cost_ > kMostOutput) return Bad(line_, "the output would be larger than 1 MiB");
    }
    if (cost_ > kMostOutput) return Bad(line_, "the output would be larger than 1 MiB");
    if (!open_.empty())
      return Bad(line_, "the section of " + Quoted(open_.back().name) + " is not ended");
    return std::move(out_);
  }

 private:
  struct Section {
    std::string name;
    bool go = false;      ///< ended by {{end}}
    bool choice = false;  ///< {{if}}
    bool inverted = false;
    std::size_t times = 1;
    std::string variable{};  ///< Go's, of a loop: "$dest"
  };

  /// Without white space, and without the dashes by which Go takes it off the text around.
  static std::string_view Tidy(std::string_view tag) {
    if (tag.starts_with("- ")) tag.remove_prefix(2);
    if (tag.ends_with(" -")) tag.remove_suffix(2);
    return Trim(tag);
  }

  void Literal(std::string_view text) {
    out_ += text;
    line_ += static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    cost_ += text.size() * times_;
  }

  Status Tag(std::string_view tag) {
    if (tag.empty()) return Bad(line_, "{{}} names nothing");
    const std::string_view rest = Trim(tag.substr(1));
    switch (tag.front()) {
      case '!':
        return Ok();
      case '#':
        return Open({std::string(rest), false, false, false});
      case '^':
        return Open({std::string(rest), false, false, true});
      case '&':
        return Variable(rest);
      case '>':
      case '=':
        return Bad(line_, "{{" + std::string(tag.substr(0, 1)) + "…}} is not supported");
      case '/':
        if (rest.starts_with("*")) return Ok();  // Go's comment
        return Close(rest);
      default:
        return IsName(tag) && tag != "end" && tag != "else" ? Variable(tag) : Go(tag);
    }
  }

  /// ".Name", "$.Name" and "$dest.Name" of a loop's variable; that of the loop at hand alone is its
  /// item. Nothing: none of these.
  [[nodiscard]] std::optional<std::string_view> Field(std::string_view text) const {
    text = Trim(text);
    const std::size_t dot = text.find('.');
    const std::string_view variable = text.substr(0, dot);
    if (!variable.empty() && variable != "$") {
      const auto loop = std::find_if(open_.rbegin(), open_.rend(), [&](const Section& section) {
        return section.variable == variable;
      });
      if (loop == open_.rend()) return std::nullopt;
      if (dot == std::string_view::npos) {
        return loop == open_.rbegin() ? std::optional<std::string_view>(".") : std::nullopt;
      }
    }
    if (dot == std::string_view::npos || !IsName(text.substr(dot + 1))) return std::nullopt;
    return text.substr(dot + 1);
  }

  /// Go's: {{.Name}}, {{range .Name}}, {{if .Name}}, {{if not .Name}}, {{else}}, {{end}}.
  Status Go(std::string_view tag) {
    if (tag == "end") {
      if (open_.empty() || !open_.back().go) return Bad(line_, "{{end}} ends nothing");
      return Close(open_.back().name);
    }
    if (tag == "else") {
      if (open_.empty() || !open_.back().choice) return Bad(line_, "{{else}} without {{if}}");
      Section other = open_.back();
      if (Status closed = Close(other.name); !closed) return closed;
      other.inverted = !other.inverted;
      return Open(std::move(other));
    }
    if (tag == ".") return Variable(tag);
    if (const auto name = Field(tag)) return Variable(*name);
    if (tag.starts_with("range ")) {
      std::string_view list = Trim(tag.substr(6));
      std::string variable;
      if (const auto assigned = list.find(":="); assigned != std::string_view::npos) {
        // Of two, the first one is the index.
        const std::string_view names = list.substr(0, assigned);
        variable = Trim(names.substr(names.find(',') + 1));
        list = list.substr(assigned + 2);
      }
      if (const auto name = Field(list)) {
        return Open({std::string(*name), true, false, false, 1, std::move(variable)});
      }
    }
    if (tag.starts_with("if ")) {
      std::string_view condition = Trim(tag.substr(3));
      const bool inverted = condition.starts_with("not ");
      if (inverted) condition = condition.substr(4);
      if (const auto name = Field(condition)) {
        return Open({std::string(*name), true, true, inverted});
      }
    }
    return Bad(line_,
               "{{" + Printable(tag, 60) +
                   "}} is not understood; of Go's there are {{.Name}}, {{range .Name}}, {{if "
                   ".Name}}, {{if not .Name}}, {{else}} and {{end}}");
  }

  [[nodiscard]] Status Known(std::string_view name) const {
    if (name == kDests || sizes_.IsKnown(name)) return Ok();
    const bool withheld = sizes_.withheld.contains(std::string(name));
    return Bad(line_, "there is no field " + Quoted(name) +
                          (withheld ? ", because its value may be a secret" : ""));
  }

  Status Variable(std::string_view name) {
    std::size_t size = sizes_.longest_item;
    if (name != ".") {
      if (Status known = Known(name); !known) return known;
      if (name == kDests || sizes_.counts.count(name) != 0) {
        return Bad(line_, Quoted(name) + " is a list: write {{#" + std::string(name) + "}}…{{/" +
                              std::string(name) + "}}");
      }
      size = sizes_.longest.find(name)->second;
    } else if (open_.empty() || open_.back().choice || open_.back().name == kDests) {
      return Bad(line_, "{{.}} is the item of a list of texts, and stands directly in its section");
    }
    out_ += "{{&" + std::string(name) + "}}";
    cost_ += size * times_;
    return Ok();
  }

  Status Open(Section section) {
    if (Status known = Known(section.name); !known) return known;
    if (open_.size() == kMostDepth) return Bad(line_, "sections are nested too deeply");
    out_ += (section.inverted ? "{{^" : "{{#") + Written(section) + "}}";
    const auto count = sizes_.counts.find(section.name);
    const bool repeats = !section.inverted && !section.choice && count != sizes_.counts.end();
    section.times = repeats ? std::max<std::size_t>(count->second, 1) : 1;
    times_ = std::min(times_ * section.times, kMostOutput);
    open_.push_back(std::move(section));
    return Ok();
  }

  Status Close(std::string_view name) {
    if (open_.empty() || open_.back().name != name) {
      return Bad(line_, "{{/" + Printable(name, 60) + "}} ends nothing");
    }
    out_ += "{{/" + Written(open_.back()) + "}}";
    open_.pop_back();
    times_ = 1;
    for (const Section& section : open_) times_ = std::min(times_ * section.times, kMostOutput);
    return Ok();
  }

  static std::string Written(const Section& section) {
    return section.name + std::string(section.choice ? kGiven : "");
  }

  std::string_view text_;
  const Sizes& sizes_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t cost_ = 0;   ///< bytes of output, at most
  std::size_t times_ = 1;  ///< how often what comes now is written, at most
  std::vector<Section> open_;
  std::string out_;
};

void Fill(const TemplateFields& fields, mustache::data& data) {
  const auto set = [&data](const std::string& name, mustache::data value, bool given) {
    data.set(name, given ? std::move(value) : mustache::data(false));
    data.set(name + std::string(kGiven), mustache::data(given));
  };
  for (const auto& [name, text] : fields.texts) set(name, mustache::data(text), !text.empty());
  for (const auto& [name, items] : fields.lists) {
    mustache::data list{mustache::data::type::list};
    for (const std::string& item : items) list << mustache::data(item);
    set(name, std::move(list), !items.empty());
  }
}

}  // namespace

Result<std::string> RenderTemplate(std::string_view text, const TemplateData& data) {
  if (text.size() > kMaxTemplateBytes) {
    return Fail(Code::kInvalidArgument, "it is larger than 64 KiB");
  }
  Sizes sizes;
  sizes.Add(data.service);
  for (const TemplateFields& dest : data.dests) sizes.Add(dest);
  sizes.counts[std::string(kDests)] = data.dests.size();
  sizes.withheld = data.withheld;
  auto translated = Translator(text, sizes).Run();
  if (!translated) return translated;

  mustache::data root{mustache::data::type::object};
  if (!data.dests.empty()) Fill(data.dests.front(), root);
  Fill(data.service, root);
  mustache::data dests{mustache::data::type::list};
  for (const TemplateFields& fields : data.dests) {
    mustache::data dest{mustache::data::type::object};
    Fill(fields, dest);
    dests << dest;
  }
  root.set(std::string(kDests), dests);
  root.set(std::string(kDests) + std::string(kGiven), mustache::data(!data.dests.empty()));
  mustache::mustache renderer{*translated};
  std::string out = renderer.render(root);
  if (!renderer.is_valid()) return Fail(Code::kInvalidArgument, renderer.error_message());
  return out;
}

}  // namespace swarmgate::labels
