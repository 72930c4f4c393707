// What is no parameter of ours: dropped by Docker Flow Proxy, or meant for its companions.
#include <array>

#include "labels/schema_parts.h"

namespace swarmgate::labels {
namespace {

constexpr auto kEntries = std::to_array<Parameter>({
    {.name = "notifyService",
     .level = Level::kService,
     .effect = Effect::kObsolete,
     .help = "notify=true is what opts a service in"},
    {.name = "serviceColor", .level = Level::kService, .effect = Effect::kObsolete},
    {.name = "skipCheck", .level = Level::kService, .effect = Effect::kObsolete},
    {.name = "consulTemplateFePath", .level = Level::kService, .effect = Effect::kObsolete},
    {.name = "consulTemplateBePath", .level = Level::kService, .effect = Effect::kObsolete},
    {.name = "reqRepSearch", .level = Level::kService, .effect = Effect::kObsolete},
    {.name = "reqRepReplace", .level = Level::kService, .effect = Effect::kObsolete},
    {.name = "xForwardedProto", .level = Level::kService, .effect = Effect::kObsolete},
    {.name = "alertAnnotations", .effect = Effect::kElsewhere},
    {.name = "alertFor", .effect = Effect::kElsewhere},
    {.name = "alertIf", .effect = Effect::kElsewhere},
    {.name = "alertLabels", .effect = Effect::kElsewhere},
    {.name = "alertName", .effect = Effect::kElsewhere},
    {.name = "alertPersistent", .effect = Effect::kElsewhere},
    {.name = "metricsPath", .effect = Effect::kElsewhere},
    {.name = "metricType", .effect = Effect::kElsewhere},
    {.name = "nodeInfo", .effect = Effect::kElsewhere},
    {.name = "scrapeInterval", .effect = Effect::kElsewhere},
    {.name = "scrapeNetwork", .effect = Effect::kElsewhere},
    {.name = "scrapePort", .effect = Effect::kElsewhere},
    {.name = "scrapeTimeout", .effect = Effect::kElsewhere},
    {.name = "scrapeType", .effect = Effect::kElsewhere},
    {.name = "shortName", .effect = Effect::kElsewhere},
    {.name = "letsencrypt.email", .effect = Effect::kElsewhere},
    {.name = "letsencrypt.host", .effect = Effect::kElsewhere},
    {.name = "letsencrypt.testing", .effect = Effect::kElsewhere},
});

}  // namespace

std::span<const Parameter> ForeignParameters() { return kEntries; }

}  // namespace swarmgate::labels
