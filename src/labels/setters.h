// One setter per parameter that has an effect: text → typed field, or a diagnostic.
#pragma once

#include "labels/schema.h"

namespace swarmgate::labels::set {

void AclName(Setting& setting);
void AllowedMethods(Setting& setting);
void AllowFrom(Setting& setting);
void DeniedMethods(Setting& setting);
void DenyFrom(Setting& setting);
void DenyHttp(Setting& setting);
void DiscoveryType(Setting& setting);
void Distribute(Setting& setting);
void Hsts(Setting& setting);
void HttpsOnly(Setting& setting);
void HttpsPort(Setting& setting);
void HttpsRedirectCode(Setting& setting);
void IgnoreAuthorization(Setting& setting);
void IsDefaultBackend(Setting& setting);
void Maintenance(Setting& setting);
void Network(Setting& setting);
void Notify(Setting& setting);
void OutboundHostname(Setting& setting);
void PathTypeName(Setting& setting);
void Port(Setting& setting);
void ProxyInstanceName(Setting& setting);
void RateLimit(Setting& setting);
void RedirectUnlessHttpsProto(Setting& setting);
void RedirectWhenHttpProto(Setting& setting);
void Replicas(Setting& setting);
void ReqMode(Setting& setting);
void ReqPathSearchReplace(Setting& setting);
void RetryAfter(Setting& setting);
void ServiceDomain(Setting& setting);
void ServiceDomainAlgo(Setting& setting);
void ServiceName(Setting& setting);
void ServicePath(Setting& setting);
void ServicePathExclude(Setting& setting);
void SessionType(Setting& setting);
void SrcPort(Setting& setting);
void TimeoutServer(Setting& setting);
void TimeoutTunnel(Setting& setting);
void UseGlobalUsers(Setting& setting);
void Users(Setting& setting);
void UsersPassEncrypted(Setting& setting);
void UsersSecret(Setting& setting);
void VerifyClientSsl(Setting& setting);

}  // namespace swarmgate::labels::set
