// The members that the decoders of docker_json.cc look at. Nine tenths of what Docker lists are
// none of them.
#include "swarmgate/codec/docker_json.h"

namespace swarmgate::codec {

const JsonShape& ServiceShape() {
  static const JsonShape kContainerSpec{{{"Image"}, {"Labels"}}};
  static const JsonShape kTemplate{{{"ContainerSpec", &kContainerSpec}, {"Networks"}}};
  static const JsonShape kSpec{
      {{"Name"}, {"Labels"}, {"TaskTemplate", &kTemplate}, {"Networks"}, {"Mode"}}};
  static const JsonShape kEndpoint{{{"Ports"}}};
  static const JsonShape kShape{{{"ID"},
                                 {"Version"},
                                 {"CreatedAt"},
                                 {"Spec", &kSpec},
                                 {"Endpoint", &kEndpoint},
                                 {"UpdateStatus"}}};
  return kShape;
}

const JsonShape& TaskShape() {
  static const JsonShape kNetwork{{{"ID"}}};
  static const JsonShape kAttachment{{{"Network", &kNetwork}, {"Addresses"}}};
  static const JsonShape kShape{{{"ID"},
                                 {"ServiceID"},
                                 {"Slot"},
                                 {"NodeID"},
                                 {"Status"},
                                 {"DesiredState"},
                                 {"NetworksAttachments", &kAttachment}}};
  return kShape;
}

const JsonShape& ContainerShape() {
  static const JsonShape kShape{{{"Id"},
                                 {"Names"},
                                 {"Image"},
                                 {"Labels"},
                                 {"Created"},
                                 {"State"},
                                 {"Status"},
                                 {"Ports"},
                                 {"NetworkSettings"}}};
  return kShape;
}

const JsonShape& NetworkShape() {
  static const JsonShape kShape{{{"Id"}, {"Name"}, {"Driver"}, {"Scope"}, {"Ingress"}}};
  return kShape;
}

}  // namespace swarmgate::codec
