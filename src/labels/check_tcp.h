// What a destination needs that does not speak HTTP (reqMode tcp and sni), and what it cannot have.
#pragma once

#include <vector>

#include "labels/placement.h"
#include "labels/report.h"
#include "labels/schema.h"

namespace swarmgate::labels {

/// A parameter that a destination was read with.
struct GivenForDest {
  const Parameter* parameter = nullptr;
  const Given* given = nullptr;
  bool own = false;  ///< else it was given without an index, for all destinations
};

/// Judges a destination of reqMode tcp or sni, and takes off it what only means something in
/// requests. What restricts them is an error: without it the service would be open to more than
/// its owner wants.
void CheckTcp(const ServiceDraft& service, const std::vector<GivenForDest>& given,
              Placement& placement, DestDraft& dest, Report& report);

/// Tells of parameters that only mean something without requests, given to destinations that all
/// speak HTTP.
void TellHttp(const std::vector<model::DestSpec>& dests, Placement& placement, Report& report);

/// Tells of parameters of the whole service that mean nothing where none of its destinations speaks
/// HTTP.
void TellServiceOfTcp(Placement& placement, Report& report);

}  // namespace swarmgate::labels
