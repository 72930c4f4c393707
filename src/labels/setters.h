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
void BalanceGroup(Setting& setting);
void CheckTcp(Setting& setting);
void CliTcpKa(Setting& setting);
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
void Priority(Setting& setting);
void ProxyInstanceName(Setting& setting);
void RateLimit(Setting& setting);
void RedirectFromDomain(Setting& setting);
void RedirectUnlessHttpsProto(Setting& setting);
void RedirectWhenHttpProto(Setting& setting);
void Replicas(Setting& setting);
void ReqMode(Setting& setting);
void ReqPathSearchReplace(Setting& setting);
void RetryAfter(Setting& setting);
void ServiceCert(Setting& setting);
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
void SrcTls(Setting& setting);
void TimeoutClient(Setting& setting);
void TimeoutServer(Setting& setting);
void TimeoutTunnel(Setting& setting);
void UseGlobalUsers(Setting& setting);
void UserAgent(Setting& setting);
void Users(Setting& setting);
void UsersPassEncrypted(Setting& setting);
void UsersSecret(Setting& setting);
void VerifyClientSsl(Setting& setting);
void Weight(Setting& setting);

// setters_content.cc, setters_cors.cc
void AddReqHeader(Setting& setting);
void AddResHeader(Setting& setting);
void CompressionAlgo(Setting& setting);
void CompressionType(Setting& setting);
void CorsCredentials(Setting& setting);
void CorsHeaders(Setting& setting);
void CorsMaxAge(Setting& setting);
void CorsMethods(Setting& setting);
void CorsOrigin(Setting& setting);
/// When all of a destination is read: the methods that pages may use, where none were given.
void CompleteCors(model::DestSpec& dest);
void DelReqHeader(Setting& setting);
void DelResHeader(Setting& setting);
void ErrorPage(Setting& setting);
void SetReqHeader(Setting& setting);
void SetResHeader(Setting& setting);

// setters_servers.cc
void BalanceBy(Setting& setting);
void CheckInterval(Setting& setting);
void CheckPath(Setting& setting);
void CheckResolvers(Setting& setting);
void ConnectionModeName(Setting& setting);
void DrainTimeout(Setting& setting);
void LookupRetry(Setting& setting);
void MaxConnections(Setting& setting);
void Protocol(Setting& setting);
void Retries(Setting& setting);
void SendProxy(Setting& setting);
void SslServerName(Setting& setting);
void SslVerify(Setting& setting);
void SslVerifyNone(Setting& setting);
/// When all of a destination is read: the host that checks name, and the name that a server's
/// certificate must have. False: there is none.
[[nodiscard]] bool CompleteServer(model::DestSpec& dest, const model::ServiceSpec& service);

// setters_upstream.cc
void ReqPathReplace(Setting& setting);
void ReqPathSearch(Setting& setting);

// setters_raw.cc
void AclCondition(Setting& setting);
void BackendExtra(Setting& setting);
void TemplateBePath(Setting& setting);
void TemplateFePath(Setting& setting);
void UserDef(Setting& setting);

/// pathType of reqMode=sni: "req_ssl_sni -i -m beg". False: it is none.
[[nodiscard]] bool SniPathType(Setting& setting);
/// The items of a list as names that clients of reqMode=sni ask for.
void SniNames(Setting& setting, SniMatch match);

}  // namespace swarmgate::labels::set
