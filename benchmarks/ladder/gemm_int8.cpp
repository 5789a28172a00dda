// The ladder of a 1x1 convolution of bytes where vectors have no dot product of them (AVX2): the first of block17 in
// Inception-ResNet-v1 (64 pixels of 896 channels -> 128): naive to fastest, one thread. See gemm_int8.md.
#include <wajah/layers/conv2d_int8.hpp>

#include <immintrin.h>
#include <string>

#include "ladder.hpp"

using namespace wajah;
using ladder::milliseconds, ladder::say;

namespace {

constexpr int pixels = 64, depth = 896, channels = 128, quad = 4, rows = 4, lanes = 8;
constexpr double macs = double{pixels} * depth * channels;
constexpr std::size_t copies = 219;  // of the weights, 24 MB: what a whole network in bytes has, which L2 does not hold

// One sum after another, as the definition says.
void definition(const std::uint8_t* x, const std::int8_t* weights, int* y) {
  for (int p = 0; p < pixels; ++p) {
    for (int o = 0; o < channels; ++o) {
      int sum = 0;
      for (int i = 0; i < depth; ++i) sum += x[p * depth + i] * weights[i * channels + o];
      y[p * channels + o] = sum;
    }
  }
}

// `together` input channels of each output channel side by side, output channels next, as the steps below read them.
std::vector<std::int8_t> pack(const std::vector<std::int8_t>& weights, int together) {
  std::vector<std::int8_t> packed;
  for (int i = 0; i < depth; i += together) {
    for (int o = 0; o < channels; ++o) {
      for (int k = 0; k < together; ++k) packed.push_back(weights[static_cast<std::size_t>((i + k) * channels + o)]);
    }
  }
  return packed;
}

[[gnu::target("avx2")]] inline __m256i same_quad(const std::uint8_t* x) {
  int four;
  __builtin_memcpy(&four, x, sizeof four);
  return _mm256_set1_epi32(four);
}

[[gnu::target("avx2")]] inline __m256i load(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}

// Bytes widened to 16 bits, so that no sum can saturate: pmaddwd multiplies 16 of them and adds them two by two.
struct Widened {
  static constexpr int together = 2, step = 2;
  [[gnu::target("avx2")]] static __m256i add(__m256i sums, const std::uint8_t* x, const std::int8_t* weights, int) {
    const __m256i two = _mm256_set1_epi32(x[0] | x[1] << 16);
    const __m256i wide = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(weights)));
    return _mm256_add_epi32(sums, _mm256_madd_epi16(two, wide));
  }
};

// Bytes as they are: 32 products, added two by two in 16 bits, where weights up to 64 have room beside bytes up to 255.
struct TwoIn16 {
  static constexpr int together = quad, step = quad;
  [[gnu::target("avx2")]] static __m256i add(__m256i sums, const std::uint8_t* x, const std::int8_t* weights, int) {
    const __m256i pairs = _mm256_maddubs_epi16(same_quad(x), load(weights));
    return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
};

// Bytes up to 127: four products have room in 16 bits, so they are widened half as often.
struct FourIn16 {
  static constexpr int together = quad, step = 2 * quad;
  [[gnu::target("avx2")]] static __m256i add(__m256i sums, const std::uint8_t* x, const std::int8_t* weights,
                                             int next) {
    const __m256i pairs = _mm256_add_epi16(_mm256_maddubs_epi16(same_quad(x), load(weights)),
                                           _mm256_maddubs_epi16(same_quad(x + quad), load(weights + next)));
    return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
};

// Four pixels by two vectors of channels in registers.
template <class Step>
[[gnu::target("avx2")]] void tiles(const std::uint8_t* x, const std::int8_t* weights, int* y) {
  constexpr int together = Step::together, row = channels * together;
  for (int p = 0; p < pixels; p += rows) {
    for (int first = 0; first < channels; first += 2 * lanes) {
      __m256i sums[rows][2] = {};
      for (int i = 0; i < depth; i += Step::step) {
        const std::int8_t* w = weights + i / together * row + first * together;
#pragma GCC unroll 4
        for (int m = 0; m < rows; ++m) {
          const std::uint8_t* at = x + (p + m) * depth + i;
          sums[m][0] = Step::add(sums[m][0], at, w, row);
          sums[m][1] = Step::add(sums[m][1], at, w + lanes * together, row);
        }
      }
      for (int m = 0; m < rows; ++m) {
        int* at = y + (p + m) * channels + first;
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), sums[m][0]);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(at + lanes), sums[m][1]);
      }
    }
  }
}

template <class Step>
void say_tiles(const char* step, const std::vector<std::uint8_t>& x, const std::vector<std::int8_t>& weights,
               const std::vector<int>& expected) {
  const std::vector<std::int8_t> packed = pack(weights, Step::together);
  std::vector<int> y(expected.size());
  say(step, milliseconds([&] { tiles<Step>(x.data(), packed.data(), y.data()); }), macs);
  if (y != expected) std::printf("  WRONG\n");
}

}  // namespace

int main() {
  std::mt19937 random(1);
  std::vector<std::uint8_t> x(pixels * depth);
  std::vector<std::int8_t> weights(depth * channels);
  for (auto& byte : x) byte = static_cast<std::uint8_t>(random() % 128);
  for (auto& w : weights) w = static_cast<std::int8_t>(static_cast<int>(random() % 129) - 64);
  std::vector<int> y(pixels * channels);
  say("0 by its definition", milliseconds([&] { definition(x.data(), weights.data(), y.data()); }), macs);
  if (!has_isa(Isa::avx2)) return 0;
  say_tiles<Widened>("1 widened to 16 bits", x, weights, y);
  say_tiles<TwoIn16>("2 two products in 16 bits", x, weights, y);
  say_tiles<FourIn16>("3 four products in 16 bits", x, weights, y);

  const std::vector<float> numbers(weights.begin(), weights.end()), biases(channels);
  std::vector<std::uint8_t> bytes(pixels * channels);
  for (const Isa isa : {Isa::avx2, Isa::avx2_vnni, Isa::avx512, Isa::avx512_vnni, Isa::avx512_amx}) {
    if (!has_isa(isa)) continue;
    const Cpu cpu(1, isa);
    const Quantisation output{1000, 0, largest_byte(isa)};
    std::vector<PackedConv2dInt8> whole;
    for (std::size_t i = 0; i < copies; ++i) {
      whole.push_back(pack_conv2d_int8(cpu, {depth, channels, {}, numbers.data(), biases.data(), {}}, {}, &output));
    }
    const auto product = [&](const PackedConv2dInt8& one) {
      conv2d_int8(cpu, Conv2dInt8Args{{x.data(), {1, 8, 8, depth}},
                                      {nullptr, {1, 8, 8, channels}},
                                      bytes.data(),
                                      {},
                                      Pad::valid,
                                      one.weights.as<std::int8_t>(),
                                      one.multipliers.as<float>(),
                                      one.offsets.as<float>(),
                                      one.floor,
                                      one.ceiling,
                                      0,
                                      {},
                                      {}});
    };
    const std::string name(name_of(isa));
    say(("4 tiles of six pixels, packed panels, to bytes, " + name).c_str(), milliseconds([&] { product(whole[0]); }),
        macs);
    const double all = milliseconds([&] {
      for (const PackedConv2dInt8& one : whole) product(one);
    });
    say(("5 the same, weights from L3, " + name).c_str(), all / copies, macs);
  }
}
