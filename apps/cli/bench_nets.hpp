// The networks that benchmarks know by name, as types.
#pragma once

#include <wajah/embed/embedder.hpp>
#include <wajah/error.hpp>
#include <wajah/networks/half.hpp>
#include <wajah/networks/int8.hpp>
#include <wajah/networks/mtcnn.hpp>
#include <wajah/networks/tuned.hpp>
#include <wajah/text.hpp>

#include <string_view>

namespace wajah::cli {

inline constexpr std::string_view net_names = "inception-resnet-v1|mobilefacenet|pnet|rnet|onet";

// Calls visit.operator()<Net>(shape of one image). Throws Error (usage) on an unknown name.
template <class Visit>
auto with_float_net(std::string_view name, Visit visit) {
  if (name == "inception-resnet-v1") return visit.template operator()<InceptionResnetV1>(Shape{1, 160, 160, 3});
  if (name == "mobilefacenet") return visit.template operator()<MobileFaceNet>(Shape{1, 112, 112, 3});
  if (name == "pnet") return visit.template operator()<PNet>(Shape{1, 360, 640, 3});  // one level of a 720p picture
  if (name == "rnet") return visit.template operator()<RNet>(Shape{1, 24, 24, 3});
  if (name == "onet") return visit.template operator()<ONet>(Shape{1, 48, 48, 3});
  fail(ErrorKind::usage, "--net {}: expected {}", quote(name), net_names);
}

// Throws Error (device) on a network that has no form on bytes.
inline void require_int8_form(std::string_view name) {
  if (name == "inception-resnet-v1" || name == "mobilefacenet") return;
  with_float_net(name, []<class>(Shape) {});
  fail(ErrorKind::device, "--net {}: only inception-resnet-v1 and mobilefacenet compute in int8", quote(name));
}

// The same in a precision, as it is done on a CPU. Throws Error (device) on a network that has no such form.
template <class Visit>
auto with_net(std::string_view name, Precision precision, Visit visit) {
  if (precision == Precision::int8) {
    if (name == "inception-resnet-v1") return visit.template operator()<InceptionResnetV1Int8>(Shape{1, 160, 160, 3});
    require_int8_form(name);
    return visit.template operator()<MobileFaceNetInt8>(Shape{1, 112, 112, 3});
  }
  if (precision == Precision::fp16) {
    if (name == "inception-resnet-v1") return visit.template operator()<InceptionResnetV1Half>(Shape{1, 160, 160, 3});
    if (name == "mobilefacenet") return visit.template operator()<MobileFaceNetHalf>(Shape{1, 112, 112, 3});
    fail(ErrorKind::device, "--net {}: only inception-resnet-v1 and mobilefacenet compute in fp16", quote(name));
  }
  if (precision == Precision::fp32 && name == "inception-resnet-v1") {
    return visit.template operator()<InceptionResnetV1Tuned>(Shape{1, 160, 160, 3});
  }
  return with_float_net(name, visit);
}

}  // namespace wajah::cli
