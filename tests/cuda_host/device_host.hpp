// kernels/cuda/device.hpp on the host: shared pointers that check, copies that arrive when waited for, tensor-core
// products lane by lane.
#pragma once

#include <wajah/launch.hpp>

#include "fragments.hpp"
#include "shim.hpp"

namespace wajah {
namespace shim {

// A number in shared memory: reading and writing are noted.
template <class T>
class Number {
 public:
  Number(T* at, const SharedMemory::Extent& in) : at_(at), in_(in) {}

  operator std::remove_const_t<T>() const {  // NOLINT(google-explicit-constructor)
    Executor& executor = Executor::current();
    executor.require_waited("reads shared memory");
    note(executor, executor.shared().read(bytes(), sizeof(T), in_, executor.thread().visitor()));
    return *at_;
  }
  Number& operator=(const std::remove_const_t<T>& value) {
    Executor& executor = Executor::current();
    executor.require_waited("writes shared memory");
    note(executor, executor.shared().write(bytes(), sizeof(T), in_, executor.thread().visitor()));
    executor.async().check_store(bytes(), sizeof(T));
    *at_ = value;
    return *this;
  }
  Number& operator=(const Number& other) { return *this = static_cast<std::remove_const_t<T>>(other); }
  Number& operator+=(const T& value) { return *this = static_cast<T>(*this) + value; }
  Number& operator-=(const T& value) { return *this = static_cast<T>(*this) - value; }
  Number& operator|=(const T& value) { return *this = static_cast<T>(*this) | value; }
  Number(const Number&) = default;

 private:
  [[nodiscard]] const char* bytes() const { return reinterpret_cast<const char*>(at_); }
  void note(Executor& executor, Fault fault) const {
    if (fault == Fault::none) return;
    executor.stop(executor.shared().explain(fault, bytes(), sizeof(T), in_, executor.thread().visitor()));
  }

  T* at_;
  SharedMemory::Extent in_;
};

}  // namespace shim

template <class T>
class Shared {
 public:
  Shared() = default;
  Shared(T* at, const shim::SharedMemory::Extent& in) : at_(at), in_(in) {}
  operator Shared<const T>() const { return {at_, in_}; }  // NOLINT(google-explicit-constructor)

  shim::Number<T> operator[](std::ptrdiff_t i) const { return {at_ + i, in_}; }
  shim::Number<T> operator*() const { return {at_, in_}; }
  Shared operator+(std::ptrdiff_t i) const { return {at_ + i, in_}; }
  Shared operator-(std::ptrdiff_t i) const { return {at_ - i, in_}; }
  Shared& operator+=(std::ptrdiff_t i) {
    at_ += i;
    return *this;
  }
  [[nodiscard]] T* address() const { return at_; }
  [[nodiscard]] const shim::SharedMemory::Extent& extent() const { return in_; }

 private:
  T* at_ = nullptr;
  shim::SharedMemory::Extent in_;
};

namespace shim {

template <class T>
Shared<T> declare_shared(const char* name, std::size_t count) {
  Executor& executor = Executor::current();
  Thread& thread = executor.thread();
  std::string error;
  const SharedMemory::Extent extent =
      executor.shared().declare(thread.shared_top, thread.shared_array, name, count * sizeof(T), error);
  if (!error.empty()) executor.stop(error);
  return {reinterpret_cast<T*>(extent.first), extent};
}

template <class T>
Shared<T> declare_dynamic_shared(const char* name, std::size_t count) {
  Executor& executor = Executor::current();
  if (count * sizeof(T) != executor.shape().dynamic_shared) {
    executor.stop("dynamic shared array " + std::string(name) + " of " + std::to_string(count * sizeof(T)) +
                  " bytes, launched with " + std::to_string(executor.shape().dynamic_shared));
  }
  return declare_shared<T>(name, count);
}

template <class V>
void check_alignment(const void* at) {
  note_global_access();
  if (reinterpret_cast<std::uintptr_t>(at) % sizeof(V) != 0) {
    Executor::current().stop("vector of " + std::to_string(sizeof(V)) + " bytes at an address not divisible by that");
  }
}

}  // namespace shim

#define WAJAH_SHARED(T, name, count) const ::wajah::Shared<T> name = ::wajah::shim::declare_shared<T>(#name, count)
#define WAJAH_DYNAMIC_SHARED(T, name, count) \
  const ::wajah::Shared<T> name = ::wajah::shim::declare_dynamic_shared<T>(#name, count)

template <class U, class T>
Shared<U> shared_cast(Shared<T> pointer) {
  return {reinterpret_cast<U*>(pointer.address()), pointer.extent()};
}
template <class V, class T>
auto vector_at(Shared<T> pointer) {
  using Vector = std::conditional_t<std::is_const_v<T>, const V, V>;
  shim::check_alignment<V>(pointer.address());
  return shim::Number<Vector>(reinterpret_cast<Vector*>(pointer.address()), pointer.extent());
}
template <class V, class T>
auto& vector_at(T* pointer) {
  using Vector = std::conditional_t<std::is_const_v<T>, const V, V>;
  shim::check_alignment<V>(pointer);
  return *reinterpret_cast<Vector*>(pointer);
}

inline void wait_for_earlier() { shim::Executor::current().thread().waited = true; }

template <class... Params, class... Args>
void launch_clusters(const char* name, void (*kernel)(Params...), unsigned cluster, dim3 grid, dim3 block,
                     std::size_t shared, const Launch& on, const Args&... args) {
  if (grid.count() == 0) return;
  // A device that makes tensor maps is of the generation that has more shared memory.
  shim::launch({name, grid, block, shared, on.dependent, cluster, on.make_tensor_map != nullptr}, on.stream,
               [=] { kernel(static_cast<Params>(args)...); });
}

template <class... Params, class... Args>
void launch(const char* name, void (*kernel)(Params...), dim3 grid, dim3 block, std::size_t shared, const Launch& on,
            const Args&... args) {
  launch_clusters(name, kernel, 1, grid, block, shared, on, args...);
}

namespace shim {

template <class T>
void begin_copy(Shared<T> to, const void* from, unsigned bytes, unsigned source) {
  Executor& executor = Executor::current();
  Thread& thread = executor.thread();
  executor.require_waited("copies");
  const auto* at = reinterpret_cast<const char*>(to.address());
  if (reinterpret_cast<std::uintptr_t>(at) % bytes != 0) executor.stop("copy_async to an address that is not aligned");
  if (source != 0 && reinterpret_cast<std::uintptr_t>(from) % bytes != 0) {
    executor.stop("copy_async from an address that is not aligned");
  }
  if (const Fault fault = executor.shared().in_flight(at, bytes, to.extent(), thread.visitor()); fault != Fault::none) {
    executor.stop(executor.shared().explain(fault, at, bytes, to.extent(), thread.visitor()));
  }
  thread.open.push_back({reinterpret_cast<char*>(to.address()), static_cast<const char*>(from), bytes, source});
}

inline void finish(Executor& executor, const std::vector<Copy>& copies) {
  for (const Copy& copy : copies) {
    std::memcpy(copy.to, copy.from, copy.source);
    std::memset(copy.to + copy.source, 0, copy.bytes - copy.source);
    (void)executor.shared().write(copy.to, copy.bytes, {copy.to, copy.to + copy.bytes}, executor.thread().visitor());
  }
}

}  // namespace shim

template <class T>
void copy_async16(Shared<T> to, const void* from, int bytes) {
  shim::begin_copy(to, from, 16, static_cast<unsigned>(bytes));
}
template <class T>
void copy_async4(Shared<T> to, const void* from, int bytes) {
  shim::begin_copy(to, from, 4, static_cast<unsigned>(bytes));
}
inline void commit_copies() {
  shim::Thread& thread = shim::Executor::current().thread();
  thread.groups.push_back(std::move(thread.open));
  thread.open.clear();
}
template <int N>
void wait_for_copies() {
  shim::Executor& executor = shim::Executor::current();
  auto& groups = executor.thread().groups;
  while (groups.size() > std::size_t{N}) {
    shim::finish(executor, groups.front());
    groups.erase(groups.begin());
  }
}

namespace shim {

// A lane's part of ldmatrix.x4: the row it names, and the words it gets.
struct MatrixRow {
  std::uint16_t row[8];
  unsigned words[4];
};

template <class T, bool Transposed>
void load_matrices_at(Site site, unsigned (&r)[4], Shared<T> row) {
  MatrixRow mine{};
  const uint4 eight =
      vector_at<uint4>(shared_cast<std::conditional_t<std::is_const_v<T>, const unsigned, unsigned>>(row));
  std::memcpy(mine.row, &eight, sizeof mine.row);
  Executor::current().collective(site, 0xFFFF'FFFFU, &mine, [](void* const* payloads, std::uint32_t) {
    const auto element = [&](unsigned matrix, unsigned i, unsigned j) -> unsigned {
      return static_cast<MatrixRow*>(payloads[matrix * 8 + i])->row[j];
    };
    each_lane<MatrixRow>(payloads, 0xFFFF'FFFFU, [&](unsigned lane, MatrixRow& m) {
      const unsigned i = lane / 4, j = lane % 4 * 2;
      for (unsigned k = 0; k < 4; ++k) {
        const unsigned low = Transposed ? element(k, j, i) : element(k, i, j);
        const unsigned high = Transposed ? element(k, j + 1, i) : element(k, i, j + 1);
        m.words[k] = low | high << 16U;
      }
    });
  });
  std::copy_n(mine.words, 4, r);
}

inline float half_value(unsigned bits) {
  const unsigned exponent = bits >> 10U & 31U, mantissa = bits & 1023U;
  const float sign = (bits & 0x8000U) != 0 ? -1.0F : 1.0F;
  if (exponent == 31) return mantissa != 0 ? NAN : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(mantissa), -24);
  return sign * std::ldexp(static_cast<float>(mantissa + 1024), static_cast<int>(exponent) - 25);
}
inline unsigned half_of(float x) {
  const unsigned sign = std::bit_cast<unsigned>(x) >> 16U & 0x8000U;
  const float magnitude = std::abs(x);
  if (std::isnan(x)) return 0x7FFFU;
  if (magnitude >= 65520.0F) return sign | 0x7C00U;
  if (magnitude < 0x1p-14F) return sign | static_cast<unsigned>(std::nearbyint(std::ldexp(magnitude, 24)));
  const unsigned bits = std::bit_cast<unsigned>(magnitude) - 0x3800'0000U;
  return sign | ((bits + 0xFFFU + (bits >> 13U & 1U)) >> 13U);
}
inline unsigned bfloat_of(float x) {
  const auto bits = std::bit_cast<unsigned>(x);
  if (std::isnan(x)) return 0x7FFFU;
  return (bits + 0x7FFFU + (bits >> 16U & 1U)) >> 16U;
}

struct HalfKind {
  static constexpr int k = 16, bits = 16;
  static float value(unsigned word) { return half_value(word); }
  static constexpr auto a = fragments::a_of_16_bits;
  static constexpr auto b = fragments::b_of_16_bits;
};
struct BfloatKind : HalfKind {
  static float value(unsigned word) { return std::bit_cast<float>(word << 16U); }
};
struct Tf32Kind {
  static constexpr int k = 8, bits = 32;
  static float value(unsigned word) { return std::bit_cast<float>(word & ~0x1FFFU); }
  static constexpr auto a = fragments::a_of_tf32;
  static constexpr auto b = fragments::b_of_tf32;
};
struct ByteKind {
  static constexpr int k = 32, bits = 8;
  static constexpr auto a = fragments::a_of_bytes;
  static constexpr auto b = fragments::b_of_bytes;
};

// A lane's registers of one product D += A * B.
template <class Number>
struct Product {
  unsigned a[4], b[2];
  Number d[4];
};

template <class Kind, class Number>
void multiply(Site site, Number (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
  Product<Number> mine{{a[0], a[1], a[2], a[3]}, {b0, b1}, {d[0], d[1], d[2], d[3]}};
  Executor::current().collective(site, 0xFFFF'FFFFU, &mine, [](void* const* payloads, std::uint32_t) {
    constexpr int per_word = 32 / Kind::bits;
    constexpr unsigned mask = Kind::bits == 32 ? 0xFFFF'FFFFU : (1U << Kind::bits % 32) - 1;
    Number a_of[16][Kind::k], b_of[8][Kind::k];
    each_lane<Product<Number>>(payloads, 0xFFFF'FFFFU, [&](unsigned l, Product<Number>& p) {
      const int lane = static_cast<int>(l);
      const auto element = [&](const unsigned* words, int i) {
        return words[i / per_word] >> static_cast<unsigned>(Kind::bits * (i % per_word)) & mask;
      };
      for (int i = 0; i < 4 * per_word; ++i) {
        const fragments::Position at = Kind::a(lane, i);
        if constexpr (std::is_same_v<Kind, ByteKind>) {
          a_of[at.row][at.column] = static_cast<std::uint8_t>(element(p.a, i));
        } else {
          a_of[at.row][at.column] = Kind::value(element(p.a, i));
        }
      }
      for (int i = 0; i < 2 * per_word; ++i) {
        const fragments::Position at = Kind::b(lane, i);
        if constexpr (std::is_same_v<Kind, ByteKind>) {
          b_of[at.column][at.row] = static_cast<std::int8_t>(element(p.b, i));
        } else {
          b_of[at.column][at.row] = Kind::value(element(p.b, i));
        }
      }
    });
    each_lane<Product<Number>>(payloads, 0xFFFF'FFFFU, [&](unsigned lane, Product<Number>& p) {
      for (int i = 0; i < 4; ++i) {
        const fragments::Position at = fragments::accumulator(static_cast<int>(lane), i);
        Number sum = 0;
        for (int k = 0; k < Kind::k; ++k) sum += a_of[at.row][k] * b_of[at.column][k];
        p.d[i] += sum;
      }
    });
  });
  std::copy_n(mine.d, 4, d);
}

}  // namespace shim

template <class T>
void load_matrices(unsigned (&r)[4], Shared<T> row, WAJAH_SITE) {
  shim::load_matrices_at<T, false>({file, line}, r, row);
}
template <class T>
void load_matrices_transposed(unsigned (&r)[4], Shared<T> row, WAJAH_SITE) {
  shim::load_matrices_at<T, true>({file, line}, r, row);
}
inline void multiply_f16(float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1, WAJAH_SITE) {
  shim::multiply<shim::HalfKind>({file, line}, d, a, b0, b1);
}
inline void multiply_bf16(float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1, WAJAH_SITE) {
  shim::multiply<shim::BfloatKind>({file, line}, d, a, b0, b1);
}
inline void multiply_tf32(float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1, WAJAH_SITE) {
  shim::multiply<shim::Tf32Kind>({file, line}, d, a, b0, b1);
}
inline void multiply_bytes(int (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1, WAJAH_SITE) {
  shim::multiply<shim::ByteKind>({file, line}, d, a, b0, b1);
}

inline unsigned half_bits(float low, float high) { return shim::half_of(low) | shim::half_of(high) << 16U; }
inline unsigned bfloat_bits(float low, float high) { return shim::bfloat_of(low) | shim::bfloat_of(high) << 16U; }
inline float2 halves(unsigned bits) { return {shim::half_value(bits & 0xFFFFU), shim::half_value(bits >> 16U)}; }
inline unsigned tf32(float x) { return (std::bit_cast<unsigned>(x) + 0x1000U) & ~0x1FFFU; }

}  // namespace wajah

// In shared memory. Threads of a block run one at a time, so this is atomic; it is no race on a card either.
template <class T>
T atomicAdd(::wajah::Shared<T> to, std::type_identity_t<T> value) {
  const T before = *to.address();
  *to.address() = static_cast<T>(before + value);
  return before;
}
