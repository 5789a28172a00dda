// kernels/cuda/hopper.hpp on the host: barriers and the TMA by AsyncProxy, products of a warpgroup by the last of its
// threads to come, from what lies in shared memory where the descriptors say. Sums are there at once but must be waited
// for: a thread that looks earlier is stopped.
#pragma once

#include <wajah/error.hpp>

#include <vector>

#include "device_host.hpp"
#include "host_tensor_map.hpp"
#include "matrix_descriptor.hpp"

#define __grid_constant__

namespace wajah {

inline constexpr bool has_warpgroup_products = true;

using Barrier = unsigned long long;

inline TensorMap tensor_map(const char* kernel, const Launch& on, const TensorMapPlan& plan) {
  TensorMap map{};
  if (on.make_tensor_map(&map, plan) != 0) {
    fail(ErrorKind::device, "cuTensorMapEncode of kernel {}: {}", kernel, shim::why_not_map(plan));
  }
  return map;
}

namespace shim {

inline AsyncProxy& async() { return Executor::current().async(); }

template <class T>
char* bytes_at(Shared<T> pointer) {
  return reinterpret_cast<char*>(pointer.address());
}

}  // namespace shim

inline void stop_kernel() { shim::Executor::current().stop("a kernel for other cards"); }

inline void make_barrier(Shared<Barrier> barrier, unsigned arrivals) {
  shim::async().make_barrier(shim::bytes_at(barrier), barrier.extent(), arrivals);
}
inline void fence_barriers() { shim::async().fence_barriers(); }
inline void arrive(Shared<Barrier> barrier) { shim::async().arrive(shim::bytes_at(barrier), 0); }
inline void arrive_expecting(Shared<Barrier> barrier, unsigned bytes) {
  shim::async().arrive(shim::bytes_at(barrier), bytes);
}
inline void wait_for_phase(Shared<Barrier> barrier, unsigned parity, WAJAH_SITE) {
  shim::async().wait({file, line}, shim::bytes_at(barrier), parity);
}
inline void fence_async() {
  shim::Executor& executor = shim::Executor::current();
  executor.shared().fence(executor.thread().number);
}

template <class T>
unsigned shared_address(Shared<T> pointer) {
  return shim::Executor::current().shared().address(shim::bytes_at(pointer));
}

template <class T>
void fetch_tiles(Shared<T> to, const TensorMap& map, Shared<Barrier> barrier, int x, int y, int z) {
  const int place[] = {x, y, z};
  shim::async().fetch(map, shim::bytes_at(to), to.extent(), shim::bytes_at(barrier), place, {});
}
template <class T>
void fetch_windows(Shared<T> to, const TensorMap& map, Shared<Barrier> barrier, int c, int w, int h, int n, int u,
                   int v) {
  const int place[] = {c, w, h, n}, tap[] = {u, v};
  shim::async().fetch(map, shim::bytes_at(to), to.extent(), shim::bytes_at(barrier), place, tap);
}

template <int Columns>
class Sums {
 public:
  Sums() { touch(); }

  float& operator[](int i) {
    require_finished();
    touch();
    return values_[i];
  }
  float operator[](int i) const {
    require_finished();
    return values_[i];
  }

  // For multiply(): the same numbers, which are not there before `group` has been waited for.
  float* add(unsigned group) {
    if (touched_at_ == mine().fences) {
      shim::Executor::current().stop("products on sums that were touched since the last begin_products");
    }
    group_ = group;
    return values_;
  }

 private:
  static const shim::ProductsOfThread& mine() { return shim::Executor::current().thread().products; }
  void touch() { touched_at_ = mine().fences; }
  void require_finished() const {
    if (mine().finished < group_) {
      shim::Executor::current().stop(
          "sums are looked at before their products have been waited for (wait_for_products)");
    }
  }

  float values_[Columns / 2] = {};
  unsigned group_ = 0, touched_at_ = 0;
};

namespace shim {

// Every thread of a warp does it, or none.
inline void with_warp(Site site) { Executor::current().collective(site, 0xFFFF'FFFFU, nullptr, nullptr); }

template <bool Bfloat>
float value_of_word(unsigned word) {
  static const std::vector<float> values = [] {
    std::vector<float> all(1U << 16U);
    for (unsigned bits = 0; bits < all.size(); ++bits) {
      all[bits] = Bfloat ? BfloatKind::value(bits) : HalfKind::value(bits);
    }
    return all;
  }();
  return values[word];
}

struct ProductOfThread {
  std::uint64_t a, b;
  float* sums;
};

inline MatrixDescriptor descriptor_of(std::uint64_t bits, std::uint64_t first) {
  if (bits != first) Executor::current().stop("a matrix descriptor that is not the same in the whole warpgroup");
  if (!MatrixDescriptor::clean(bits)) Executor::current().stop("a matrix descriptor with bits where there are none");
  return MatrixDescriptor(bits);
}

// The eight words at an address, which the warpgroup from first_warp on reads for its current group of products.
template <bool Bfloat>
void read_eight(float (&to)[8], unsigned address, unsigned first_warp, unsigned group) {
  const char* const from = Executor::current().shared().at(address);
  async().read(first_warp, from, 16, group);
  std::uint16_t words[8];
  std::memcpy(words, from, sizeof words);
  for (int i = 0; i < 8; ++i) to[i] = value_of_word<Bfloat>(words[i]);
}

constexpr int rows_of_group = 64, depth_of_product = 16;

// Element i of thread t of a warpgroup: "Matrix fragments for wgmma.mma_async.m64nNk16", accumulator D.
constexpr fragments::Position sum_of_group(int thread, int i) {
  return {thread / 32 * 16 + thread % 32 / 4 + i / 2 % 2 * 8, i / 4 * 8 + thread % 4 * 2 + i % 2};
}

template <bool Bfloat, int Columns>
void multiply_group(void* const* payloads) {
  Executor& executor = Executor::current();
  const auto of = [&](int thread) -> const ProductOfThread& {
    return *static_cast<ProductOfThread*>(payloads[thread]);
  };
  MatrixDescriptor a(0), b(0);
  for (int t = 0; t < static_cast<int>(threads_of_group); ++t) {
    a = descriptor_of(of(t).a, of(0).a);
    b = descriptor_of(of(t).b, of(0).b);
  }
  const unsigned first_warp = executor.thread().warp() / warps_of_group * warps_of_group;
  const unsigned group = executor.thread().products.current();
  static thread_local float a_of[rows_of_group][depth_of_product], b_of[depth_of_product][Columns],
      sums[rows_of_group][Columns];
  float eight[8];
  for (unsigned row = 0; row < rows_of_group; ++row) {
    for (unsigned c = 0; c < 2; ++c) {
      read_eight<Bfloat>(eight, a.along_k(row, c), first_warp, group);
      std::copy_n(eight, 8, a_of[row] + c * 8);
    }
  }
  for (unsigned k = 0; k < depth_of_product; ++k) {
    for (unsigned c = 0; c < Columns / 8; ++c) {
      read_eight<Bfloat>(eight, b.along_mn(k, c), first_warp, group);
      std::copy_n(eight, 8, b_of[k] + c * 8);
    }
  }
  for (int row = 0; row < rows_of_group; ++row) {
    std::fill_n(sums[row], Columns, 0.0F);
    for (int k = 0; k < depth_of_product; ++k) {
      for (int column = 0; column < Columns; ++column) sums[row][column] += a_of[row][k] * b_of[k][column];
    }
  }
  for (int t = 0; t < static_cast<int>(threads_of_group); ++t) {
    for (int i = 0; i < Columns / 2; ++i) {
      const fragments::Position at = sum_of_group(t, i);
      of(t).sums[i] += sums[at.row][at.column];
    }
  }
}

}  // namespace shim

inline void begin_products(WAJAH_SITE) {
  shim::with_warp({file, line});
  ++shim::Executor::current().thread().products.fences;
}

template <bool Bfloat, int Columns>
void multiply(Sums<Columns>& sums, std::uint64_t a, std::uint64_t b, WAJAH_SITE) {
  shim::Executor& executor = shim::Executor::current();
  shim::ProductsOfThread& products = executor.thread().products;
  shim::ProductOfThread mine{a, b, sums.add(products.current())};
  products.open = true;
  executor.group_collective({file, line}, &mine, &shim::multiply_group<Bfloat, Columns>);
}

inline void commit_products(WAJAH_SITE) {
  shim::with_warp({file, line});
  shim::ProductsOfThread& products = shim::Executor::current().thread().products;
  ++products.committed;
  products.open = false;
}

template <int Unfinished, int Columns>
void wait_for_products(Sums<Columns>&, WAJAH_SITE) {
  shim::with_warp({file, line});
  shim::ProductsOfThread& products = shim::Executor::current().thread().products;
  if (products.committed <= Unfinished) return;
  products.finished = std::max(products.finished, products.committed - Unfinished);
  shim::async().finish(products.finished);
}

}  // namespace wajah
