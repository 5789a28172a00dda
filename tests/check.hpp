// What tests share: comparing arrays, maps between guard pages, every instruction set, and where the shared data is.
#pragma once

#include "places.hpp"

#include <doctest/doctest.h>
#include <wajah/cpu.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <type_traits>

#include <fmt/format.h>

namespace wajah {

// The folder of shared test data: WAJAH_SHARED, or ../shared beside the source tree; nothing where it is absent, which
// the test must say: if (!shared_data()) { MESSAGE("skipped: ..."); return; }
inline std::optional<std::filesystem::path> shared_data() {
  const char* set = std::getenv("WAJAH_SHARED");
  const std::filesystem::path folder =
      (set != nullptr ? std::filesystem::path(set) : source_folder() / ".." / "shared") /
      "data";
  if (!std::filesystem::is_directory(folder)) return std::nullopt;
  return folder;
}

// |got - expected| <= absolute + relative * |expected|
struct Tolerance {
  double absolute = 0, relative = 0;
};

// Fails unless all numbers agree; says at which index first, how many do not, and the worst. Not-a-number never agrees.
// `where` turns an index into words.
template <class Where>
void check_close(const std::string& name, std::size_t count, auto&& got, auto&& expected, Tolerance tolerance,
                 const Where& where) {
  std::size_t wrong = 0, first = 0, worst = 0;
  double worst_excess = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double e = expected(i);
    const double difference = std::abs(got(i) - e);
    if (difference <= tolerance.absolute + tolerance.relative * std::abs(e)) continue;
    if (wrong++ == 0) first = worst = i;
    if (std::isnan(difference) || difference > worst_excess) {
      worst = i;
      worst_excess = std::isnan(difference) ? INFINITY : difference;
    }
  }
  const auto number = [&](std::size_t i) {
    return fmt::format("at {}: got {}, expected {}", where(i), got(i), expected(i));
  };
  CHECK_MESSAGE(wrong == 0, name << ": " << wrong << " of " << count << " differ; first "
                                 << (wrong != 0 ? number(first) : "") << "; worst "
                                 << (wrong != 0 ? number(worst) : ""));
}

inline void check_close(const std::string& name, std::span<const float> got, std::span<const float> expected,
                        Tolerance tolerance) {
  REQUIRE_MESSAGE(got.size() == expected.size(),
                  name << ": " << got.size() << " numbers, expected " << expected.size());
  check_close(
      name, got.size(), [&](std::size_t i) -> double { return got[i]; },
      [&](std::size_t i) -> double { return expected[i]; }, tolerance, [](std::size_t i) { return std::to_string(i); });
}

template <class T>
void check_close(const std::string& name, View<T> got, View<T> expected, Tolerance tolerance) {
  const Shape shape = expected.shape;
  REQUIRE(got.shape == shape);
  const auto at = [&](View<T> view, std::size_t i) -> double {
    const auto channels = static_cast<std::size_t>(shape.c);
    return view
        .data[static_cast<std::ptrdiff_t>(i / channels) * view.stride + static_cast<std::ptrdiff_t>(i % channels)];
  };
  check_close(
      name, shape.size(), [&](std::size_t i) { return at(got, i); }, [&](std::size_t i) { return at(expected, i); },
      tolerance,
      [&](std::size_t i) {
        const auto pixel = static_cast<int>(i) / shape.c;
        return fmt::format("(n {}, y {}, x {}, c {})", pixel / shape.w / shape.h, pixel / shape.w % shape.h,
                           pixel % shape.w, static_cast<int>(i) % shape.c);
      });
}

// Which end of a map touches a page that must not be read or written.
enum class Touch { first, last };

// A map whose first or last number touches such a page, with `gap` numbers between the channels of one pixel and the
// next that must not change.
template <class T>
class GuardedMapOf {
 public:
  using Touch = wajah::Touch;

  GuardedMapOf(Shape shape, int gap, Touch touch) : view_(nullptr, shape, shape.c + gap) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t numbers =
        (shape.pixels() - 1) * static_cast<std::size_t>(view_.stride) + static_cast<std::size_t>(shape.c);
    const std::size_t room = (numbers * sizeof(T) + page - 1) / page * page;
    bytes_ = room + 2 * page;
    memory_ = static_cast<char*>(mmap(nullptr, bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (memory_ == MAP_FAILED || mprotect(memory_ + page, room, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    T* first = reinterpret_cast<T*>(memory_ + page);
    view_.data = touch == Touch::first ? first : first + room / sizeof(T) - numbers;
    for (std::size_t i = 0; i < numbers; ++i) view_.data[i] = std::bit_cast<T>(untouched_bits);
  }
  ~GuardedMapOf() { munmap(memory_, bytes_); }
  GuardedMapOf(const GuardedMapOf&) = delete;
  GuardedMapOf& operator=(const GuardedMapOf&) = delete;
  GuardedMapOf(GuardedMapOf&&) = delete;
  GuardedMapOf& operator=(GuardedMapOf&&) = delete;

  [[nodiscard]] View<T> view() const { return view_; }

  // Numbers from -scale to scale, or any bytes; those in the gaps stay not-a-number, so that a kernel that reads them is
  // found out.
  void fill(std::mt19937& random, float scale = 1) {
    if constexpr (std::is_same_v<T, float>) {
      std::uniform_real_distribution<float> number(-scale, scale);
      each([&](T& value) { value = number(random); });
    } else {
      each([&](T& value) { value = static_cast<T>(random()); });
    }
  }
  void copy(ConstView<T> from) {
    std::ptrdiff_t i = 0;
    each([&](T& value) {
      value = from.data[i / from.shape.c * from.stride + i % from.shape.c];
      ++i;
    });
  }

  [[nodiscard]] bool gaps_untouched() const {
    const auto pixels = static_cast<std::ptrdiff_t>(view_.shape.pixels());
    for (std::ptrdiff_t p = 0; p + 1 < pixels; ++p) {
      for (std::ptrdiff_t c = view_.shape.c; c < view_.stride; ++c) {
        if (std::bit_cast<Bits>(view_.data[p * view_.stride + c]) != untouched_bits) return false;
      }
    }
    return true;
  }

 private:
  using Bits = std::conditional_t<sizeof(T) == 1, std::uint8_t, std::uint32_t>;
  static constexpr Bits untouched_bits = static_cast<Bits>(0x7FC0DEAD);  // of floats a not-a-number

  void each(auto&& visit) {
    const auto pixels = static_cast<std::ptrdiff_t>(view_.shape.pixels());
    for (std::ptrdiff_t p = 0; p < pixels; ++p) {
      for (int c = 0; c < view_.shape.c; ++c) visit(view_.data[p * view_.stride + c]);
    }
  }

  View<T> view_;
  char* memory_ = nullptr;
  std::size_t bytes_ = 0;
};

using GuardedMap = GuardedMapOf<float>;

// Calls test(cpu, name) with every instruction set that this CPU has, on one thread and on several.
void for_each_cpu(auto&& test) {
  for (const Isa isa : every_isa) {
    if (!has_isa(isa)) continue;
    for (const int threads : {1, 2, 5}) {
      test(Cpu(threads, isa), fmt::format("{} x{}", name_of(isa), threads));
    }
  }
}

}  // namespace wajah
