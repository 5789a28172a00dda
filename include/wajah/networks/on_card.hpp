// Which form of a network a card computes in an arithmetic: the embedding networks have forms on maps of 16 bits
// (networks/half.hpp, with blocks that may be fused) and on bytes (networks/int8.hpp). They load the weights of the
// networks they are made from; on bytes also their ranges.
#pragma once

#include <wajah/networks/fused.hpp>
#include <wajah/networks/half.hpp>
#include <wajah/networks/int8.hpp>

namespace wajah {
namespace detail {

// P-, R- and O-Net have no such forms: what they say of places is compared with thresholds.
template <class Net>
struct FormsOnCard {
  using Half = Net;
  using Int8 = Net;
};
template <>
struct FormsOnCard<InceptionResnetV1> {
  using Half = Halved<InceptionResnetV1Fused>;
  using Int8 = InceptionResnetV1Int8;
};
template <>
struct FormsOnCard<MobileFaceNet> {
  using Half = MobileFaceNetHalf;
  using Int8 = MobileFaceNetInt8;
};

}  // namespace detail

// Net on bytes, or Net itself if it has no such form.
template <class Net>
using OnBytes = typename detail::FormsOnCard<Net>::Int8;

// Calls visit.operator()<Form>() with the form of Net that a card has in this arithmetic.
template <class Net, class Visit>
auto with_form_on_card(Arithmetic arithmetic, Visit visit) {
  using Forms = detail::FormsOnCard<Net>;
  if (arithmetic == Arithmetic::int8) return visit.template operator()<OnBytes<Net>>();
  if (arithmetic == Arithmetic::fp16 || arithmetic == Arithmetic::bf16) {
    return visit.template operator()<typename Forms::Half>();
  }
  return visit.template operator()<Net>();
}

}  // namespace wajah
