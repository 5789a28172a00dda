// What maps of 16 bits are for: how many bytes of maps an image moves through a card's memory.
#include <wajah/networks/mtcnn.hpp>
#include <wajah/networks/on_card.hpp>

#include "check.hpp"

namespace wajah {
namespace {

template <class Layer>
inline constexpr bool closes_residual = false;
template <class Body, class Scale>
inline constexpr bool closes_residual<Residual<Body, Scale>> = true;

// Every layer reads its input and writes its output once, a residual reads what it adds; taps that overlap are the
// caches' business. Walks as describe() does.
struct MapBytes {
  std::size_t words = 0, floats = 0;  // in bytes

  template <class Number>
  void count(Shape map) {
    (sizeof(Number) == 2 ? words : floats) += map.size() * sizeof(Number);
  }

  template <class Layer>
  void layer(Shape x) {
    if constexpr (closes_residual<Layer>) count<InputOf<Layer>>(x);
    if constexpr (requires { Layer::each(x, *this); }) {
      Layer::each(x, *this);
    } else {
      count<InputOf<Layer>>(x);
      // Words where it has such: what a network gives at its very end, floats all the same, is a few hundred bytes.
      constexpr bool gives_words =
          requires(const Layer& layer, const Cuda& card, ConstView<InputOf<Layer>> from, View<std::uint16_t> to) {
        layer.forward(card, from, to, Arena{});
      };
      count<std::conditional_t<gives_words, std::uint16_t, float>>(Layer::out(x));
    }
  }
  template <class Layer>
  void layer(Shape x, std::string_view, int) {
    layer<Layer>(x);
  }
};

template <class Net>
MapBytes map_bytes(Shape image) {
  MapBytes bytes;
  bytes.layer<Net>(image);
  return bytes;
}

template <class Net>
void check(const char* name, Shape image, std::size_t before, std::size_t after) {
  const MapBytes exact = map_bytes<Net>(image), half = map_bytes<Halved<Net>>(image);
  CHECK(exact.words == 0);
  CHECK_MESSAGE(exact.floats == before, name);
  CHECK_MESSAGE(half.words + half.floats == after, name);
  // What stays float32 are the picture and a row or two of numbers.
  CHECK_MESSAGE(half.floats < image.size() * sizeof(float) + 20'000, name << ": " << half.floats << " bytes of floats");
}

TEST_CASE("networks on 16 bits: bytes of maps an image, as docs/cuda.md has them") {
  check<InceptionResnetV1>("Inception-ResNet-v1", {1, 160, 160, 3}, 37'295'104, 18'809'344);
  check<MobileFaceNet>("MobileFaceNet", {1, 112, 112, 3}, 28'855'808, 14'503'168);
}

template <class Net, class Form>
bool takes(Arithmetic arithmetic) {
  return with_form_on_card<Net>(arithmetic, []<class Taken>() { return std::is_same_v<Taken, Form>; });
}

TEST_CASE("networks on a card: 16 bits for what embeds in fp16 and bf16, bytes in int8") {
  for (const Arithmetic words : {Arithmetic::fp16, Arithmetic::bf16}) {
    CHECK(takes<InceptionResnetV1, Halved<InceptionResnetV1Fused>>(words));
    CHECK(takes<MobileFaceNet, MobileFaceNetHalf>(words));
    CHECK(takes<ONet, ONet>(words));
  }
  for (const Arithmetic floats : {Arithmetic::fp32, Arithmetic::tf32}) {
    CHECK(takes<InceptionResnetV1, InceptionResnetV1>(floats));
    CHECK(takes<MobileFaceNet, MobileFaceNet>(floats));
  }
  CHECK(takes<InceptionResnetV1, InceptionResnetV1Int8>(Arithmetic::int8));
  CHECK(takes<MobileFaceNet, MobileFaceNetInt8>(Arithmetic::int8));
  CHECK(takes<ONet, ONet>(Arithmetic::int8));
}

TEST_CASE("networks on 16 bits: half the memory of a session") {
  CHECK(InceptionResnetV1Half::workspace({8, 160, 160, 3}) * 2 == InceptionResnetV1::workspace({8, 160, 160, 3}));
  CHECK(MobileFaceNetHalf::workspace({8, 112, 112, 3}) * 2 == MobileFaceNet::workspace({8, 112, 112, 3}));
}

}  // namespace
}  // namespace wajah
