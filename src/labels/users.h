// Who is asked for a password, put together from users, usersSecret, usersPassEncrypted,
// useGlobalUsers and the operator's USERS. Asked for and not found is an error: a service is never
// served open because a list of users is missing.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "labels/schema.h"

namespace swarmgate::labels {

/// Makes the report speak about a parameter of the service.
using AboutParameter = std::function<void(std::string_view name, std::string_view value)>;

/// Fills service.access.found.
void FindUsers(ServiceDraft& service, const ParseOptions& options, const AboutParameter& about,
               Report& report);

/// What the service's parameters of access mean for a destination.
void FinishAccess(const ServiceDraft& service, const ParseOptions& options, DestDraft& dest);

}  // namespace swarmgate::labels
