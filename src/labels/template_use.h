// What becomes of a service that names templates: its fields, the texts of the files, and what they
// give put into the service, or the reason why it is not served.
#pragma once

#include <functional>
#include <string_view>

#include "labels/report.h"
#include "labels/schema.h"

namespace swarmgate::labels {

/// When all else of the service is read. `value`: of a parameter as it was written for a
/// destination (0: without index), trimmed; empty: not given. `about`: makes the report speak about
/// a parameter. A mistake leaves the service without destinations.
void ApplyTemplates(ServiceDraft& draft, const ParseOptions& options,
                    const std::function<std::string_view(const Parameter&, int)>& value,
                    const std::function<void(std::string_view, std::string_view)>& about,
                    Report& report);

}  // namespace swarmgate::labels
