#include "admin/answers.h"

#include "swarmgate/codec/json.h"

namespace swarmgate::admin {

Response Problem(int status, const std::string& code, const std::string& message) {
  codec::JsonWriter json;
  json.BeginObject().Field("Status", "NOK").Field("Message", message).Field("Code", code);
  json.EndObject();
  Response response;
  response.status = status;
  response.body = std::move(json).Take();
  return response;
}

Response Fine(const std::string& message) {
  codec::JsonWriter json;
  json.BeginObject().Field("Status", "OK").Field("Message", message).EndObject();
  Response response;
  response.body = std::move(json).Take();
  return response;
}

}  // namespace swarmgate::admin
