// One setter per parameter that has an effect: text → typed field, or a diagnostic.
#pragma once

#include "labels/schema.h"

namespace swarmgate::labels::set {

void AclName(Setting& setting);
void BalanceGroup(Setting& setting);
void CheckTcp(Setting& setting);
void CliTcpKa(Setting& setting);
void DiscoveryType(Setting& setting);
void Distribute(Setting& setting);
void HttpsPort(Setting& setting);
void IsDefaultBackend(Setting& setting);
void Network(Setting& setting);
void Notify(Setting& setting);
void OutboundHostname(Setting& setting);
void PathTypeName(Setting& setting);
void Port(Setting& setting);
void Priority(Setting& setting);
void ProxyInstanceName(Setting& setting);
void Replicas(Setting& setting);
void RedirectFromDomain(Setting& setting);
void ReqMode(Setting& setting);
void ReqPathSearchReplace(Setting& setting);
void ServiceDomain(Setting& setting);
void ServiceDomainAlgo(Setting& setting);
void ServiceDomainMatchAll(Setting& setting);
void ServiceGroup(Setting& setting);
void ServiceHeader(Setting& setting);
void ServiceName(Setting& setting);
void ServicePath(Setting& setting);
void ServicePathExclude(Setting& setting);
void SessionType(Setting& setting);
void SrcHttpsPort(Setting& setting);
void SrcPort(Setting& setting);
void TimeoutClient(Setting& setting);
void TimeoutServer(Setting& setting);
void TimeoutTunnel(Setting& setting);
void UserAgent(Setting& setting);
void Weight(Setting& setting);

/// pathType of reqMode=sni: "req_ssl_sni -i -m beg". False: it is none.
[[nodiscard]] bool SniPathType(Setting& setting);
/// The items of a list as names that clients of reqMode=sni ask for.
void SniNames(Setting& setting, SniMatch match);

}  // namespace swarmgate::labels::set
