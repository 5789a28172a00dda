// The embedding networks on maps of 16 bits (layers/halved.hpp), for cards and for CPUs with half arithmetic. They load
// the weights of the networks they are made from.
#pragma once

#include <wajah/layers/halved.hpp>
#include <wajah/networks/fused.hpp>
#include <wajah/networks/mobilefacenet.hpp>

namespace wajah {

using InceptionResnetV1Half = Halved<InceptionResnetV1>;
using MobileFaceNetHalf = Halved<MobileFaceNet>;

static_assert(InceptionResnetV1Half::out({1, 160, 160, 3}) == Shape{1, 1, 1, 512});
static_assert(MobileFaceNetHalf::out({1, 112, 112, 3}) == Shape{1, 1, 1, 128});
static_assert(InceptionResnetV1Half::workspace({1, 160, 160, 3}) * 2 == InceptionResnetV1::workspace({1, 160, 160, 3}));

namespace detail {

// P-, R- and O-Net have no such form: what they say of places is compared with thresholds.
template <class Net>
struct FormOn16Bits {
  using type = Net;
};
template <>
struct FormOn16Bits<InceptionResnetV1> {
  using type = Halved<InceptionResnetV1Fused>;
};
template <>
struct FormOn16Bits<MobileFaceNet> {
  using type = MobileFaceNetHalf;
};

}  // namespace detail

// Calls visit.operator()<Form>() with the form of Net that a card has in this arithmetic.
template <class Net, class Visit>
auto with_form_on_card(Arithmetic arithmetic, Visit visit) {
  if (arithmetic == Arithmetic::fp16 || arithmetic == Arithmetic::bf16) {
    return visit.template operator()<typename detail::FormOn16Bits<Net>::type>();
  }
  return visit.template operator()<Net>();
}

}  // namespace wajah
