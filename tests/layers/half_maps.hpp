// Maps of 16-bit words between pages that must not be touched, and the numbers they stand for. Rounded here by other
// means than the kernels' host build has.
#pragma once

#include <wajah/launch.hpp>

#include "check.hpp"
#include "compare.hpp"

#include <bit>
#include <vector>

namespace wajah {

inline std::uint16_t word_of(Arithmetic format, float x) {
  if (format == Arithmetic::fp16) return std::bit_cast<std::uint16_t>(static_cast<_Float16>(x));
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t up = bits & 0xFFFFU, odd = bits >> 16U & 1U;  // of two nearest the even one
  return static_cast<std::uint16_t>((bits >> 16U) + (up > 0x8000U || (up == 0x8000U && odd == 1) ? 1 : 0));
}
inline float number_of(Arithmetic format, std::uint16_t word) {
  if (format == Arithmetic::fp16) return static_cast<float>(std::bit_cast<_Float16>(word));
  return std::bit_cast<float>(static_cast<std::uint32_t>(word) << 16U);
}
inline void round_to(Arithmetic format, std::vector<float>& values) {
  for (float& value : values) value = number_of(format, word_of(format, value));
}

// What rounding once may do to a number, besides `before` of the sums.
inline Tolerance rounding(Arithmetic format, double before = 1e-5) {
  return {before, before + (format == Arithmetic::fp16 ? 0x1p-11 : 0x1p-8)};
}

class HalfMap {
 public:
  HalfMap(Arithmetic format, Shape shape, int gap, Touch touch)
      : format_(format), shape_(shape), bytes_(shape.channels(2 * shape.c), 2 * gap, touch) {}

  [[nodiscard]] View<std::uint16_t> view() const {
    return {reinterpret_cast<std::uint16_t*>(bytes_.view().data), shape_, bytes_.view().stride / 2};
  }
  [[nodiscard]] bool gaps_untouched() const { return bytes_.gaps_untouched(); }

  // The values, and not-a-number in all gaps, so that a kernel that reads them is found out.
  void fill(const std::vector<float>& values) {
    const View<std::uint16_t> words = view();
    for (std::ptrdiff_t i = 0; i < numbers(); ++i)
      words.data[at(i)] = word_of(format_, values[static_cast<std::size_t>(i)]);
    for (std::ptrdiff_t p = 0; p + 1 < static_cast<std::ptrdiff_t>(shape_.pixels()); ++p) {
      for (std::ptrdiff_t c = shape_.c; c < words.stride; ++c) words.data[p * words.stride + c] = not_a_number;
    }
  }
  // The same without touching the gaps.
  void copy(const std::vector<float>& values) {
    for (std::ptrdiff_t i = 0; i < numbers(); ++i)
      view().data[at(i)] = word_of(format_, values[static_cast<std::size_t>(i)]);
  }
  [[nodiscard]] std::vector<float> values() const {
    std::vector<float> all(shape_.size());
    for (std::ptrdiff_t i = 0; i < numbers(); ++i)
      all[static_cast<std::size_t>(i)] = number_of(format_, view().data[at(i)]);
    return all;
  }

 private:
  static constexpr std::uint16_t not_a_number = 0x7FC1;  // in both formats

  [[nodiscard]] std::ptrdiff_t numbers() const { return static_cast<std::ptrdiff_t>(shape_.size()); }
  [[nodiscard]] std::ptrdiff_t at(std::ptrdiff_t i) const { return i / shape_.c * view().stride + i % shape_.c; }

  Arithmetic format_;
  Shape shape_;
  GuardedMapOf<std::uint8_t> bytes_;
};

// Numbers that both formats hold are few, so each is drawn and rounded.
inline std::vector<float> random_words(Arithmetic format, std::mt19937& random, std::size_t count, float scale = 1) {
  std::vector<float> values = random_numbers(random, count, scale);
  round_to(format, values);
  return values;
}

inline constexpr Arithmetic word_formats[] = {Arithmetic::fp16, Arithmetic::bf16};

inline const char* name_of_words(Arithmetic format) { return format == Arithmetic::fp16 ? "halves" : "bfloats"; }

}  // namespace wajah
