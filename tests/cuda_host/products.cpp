// Products of a warpgroup (wgmma) on the host: what they compute, and that each way to misuse them is found out.
#include "hopper_trial.hpp"
#include "warpgroup.hpp"

namespace wajah {
namespace {

using namespace hopper_trial;

struct Halves {
  static constexpr bool bfloat = false;
  static unsigned word(float x) { return shim::half_of(x); }
};
struct Bfloats {
  static constexpr bool bfloat = true;
  static unsigned word(float x) { return shim::bfloat_of(x); }
};

constexpr int right_at = 8192;  // where the right matrix begins, behind 64 rows of the left one

// Whole numbers, so that every format holds them and every sum is exact.
int left_number(int row, int k) { return (row * 7 + k * 3) % 13 - 6; }
int right_number(int k, int column) { return (k * 5 + column * 11) % 17 - 8; }

// Row `row` of 64 words, swizzled; one thread writes all of it.
template <class Words>
void write_row(Shared<unsigned char> matrix, int row, auto&& number) {
  for (int i = 0; i < 64; i += 2) {
    const int byte = row * 128 + ((i / 8) ^ row % 8) * 16 + i % 8 * 2;
    const unsigned low = Words::word(static_cast<float>(number(i))),
                   high = Words::word(static_cast<float>(number(i + 1)));
    shared_cast<unsigned>(matrix)[byte / 4] = low | high << 16U;
  }
}

template <class Words>
void write_matrices(const Memory& memory, int columns) {
  const int thread = static_cast<int>(me());
  if (thread < 64) {
    write_row<Words>(memory.bytes, thread, [&](int k) { return left_number(thread, k); });
    for (int block = 0; block < columns / 64; ++block) {
      write_row<Words>(memory.bytes + (right_at + block * 8192), thread,
                       [&](int i) { return right_number(thread, block * 64 + i); });
    }
  }
}

std::uint64_t left_of(const Memory& memory) { return warpgroup::left_descriptor(shared_address(memory.bytes)); }
std::uint64_t right_of(const Memory& memory) {
  return warpgroup::right_descriptor(shared_address(memory.bytes + right_at), 8192);
}

template <class Words, int Columns>
void check_products() {
  run(128, [] {
    const Memory memory;
    write_matrices<Words>(memory, Columns);
    fence_async();
    __syncthreads();
    Sums<Columns> sums;
    for (int i = 0; i < Columns / 2; ++i) sums[i] = 3;
    begin_products();
    for (unsigned k = 0; k < 4; ++k) {
      multiply<Words::bfloat>(sums, left_of(memory) + k * warpgroup::left_step,
                              right_of(memory) + k * warpgroup::right_step);
    }
    commit_products();
    wait_for_products<0>(sums);
    int wrong = 0;
    for (int i = 0; i < Columns / 2; ++i) {
      const warpgroup::Position at = warpgroup::sum_position(static_cast<int>(me()), i);
      int sum = 3;
      for (int k = 0; k < 64; ++k) sum += left_number(at.row, k) * right_number(k, at.column);
      wrong += sums[i] != static_cast<float>(sum) ? 1 : 0;
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("cuda host: products of a warpgroup are matrix products, in both formats and every width") {
  check_products<Halves, 64>();
  check_products<Halves, 128>();
  check_products<Halves, 192>();
  check_products<Bfloats, 256>();
  check_products<Bfloats, 64>();
}

TEST_CASE("cuda host: misuse of a warpgroup's products") {
  const auto ready = [] {
    const Memory memory;
    write_matrices<Halves>(memory, 64);
    fence_async();
    __syncthreads();
    return memory;
  };
  const auto product = [](const Memory& memory, Sums<64>& sums) {
    begin_products();
    multiply<Halves::bfloat>(sums, left_of(memory), right_of(memory));
    commit_products();
  };
  check_says("sums are looked at before their products have been waited for", 128, [&] {
    const Memory memory = ready();
    Sums<64> sums;
    product(memory, sums);
    wait_for_products<1>(sums);
    if (sums[0] == 1) return;
  });
  check_says("returns before it has waited for its products", 128, [&] {
    const Memory memory = ready();
    Sums<64> sums;
    product(memory, sums);
  });
  check_says("products on sums that were touched since the last begin_products", 128, [&] {
    const Memory memory = ready();
    Sums<64> sums;
    product(memory, sums);
    wait_for_products<0>(sums);
    sums[3] = 1;
    multiply<Halves::bfloat>(sums, left_of(memory), right_of(memory));
  });
  check_says("wrote with no fence_async after it", 128, [&] {
    const Memory memory;
    write_matrices<Halves>(memory, 64);
    __syncthreads();
    Sums<64> sums;
    product(memory, sums);
  });
  check_says("which no thread has written", 128, [&] {
    const Memory memory;
    Sums<64> sums;
    product(memory, sums);
  });
  check_says("no barrier came in between", 128, [&] {
    const Memory memory;
    write_matrices<Halves>(memory, 64);
    fence_async();
    Sums<64> sums;
    product(memory, sums);
  });
  check_says("a matrix descriptor that is not the same in the whole warpgroup", 128, [&] {
    const Memory memory = ready();
    Sums<64> sums;
    begin_products();
    multiply<Halves::bfloat>(sums, left_of(memory) + (me() < 64 ? 0 : 2), right_of(memory));
  });
  check_says("bits where there are none", 128, [&] {
    const Memory memory = ready();
    Sums<64> sums;
    begin_products();
    multiply<Halves::bfloat>(sums, left_of(memory) | std::uint64_t{1} << 46U, right_of(memory));
  });
  check_says("of no whole warpgroup", 96, [&] {
    const Memory memory;
    Sums<64> sums;
    begin_products();
    multiply<Halves::bfloat>(sums, left_of(memory), right_of(memory));
  });
  check_says("96 of warpgroup 0", 128, [&] {
    const Memory memory = ready();
    Sums<64> sums;
    if (me() < 96) product(memory, sums);
  });
  check_says("a store to shared memory that an unfinished product of warp", 128, [&] {
    const Memory memory = ready();
    Sums<64> sums;
    product(memory, sums);
    for (int i = 0; i < 32; ++i) shared_cast<unsigned>(memory.bytes)[i] = 0;
  });
}

TEST_CASE("cuda host: what products read may be overwritten when all warps have said that they are done") {
  Picture picture(1, 8, 8, 64, 64);
  const TensorMap map = made(picture.windows(8, 8, 0, 0, 1, 64));
  // The last warp brings what the first four multiply, twice into the same place. `arrivals`: who says that it is free.
  const auto trial = [&](unsigned arrivals, bool finished) {
    const Memory memory(1);
    WAJAH_SHARED(Barrier, free, 1);
    if (me() == 0) {
      make_barrier(free, arrivals);
      fence_barriers();
    }
    write_matrices<Halves>(memory, 64);
    fence_async();
    __syncthreads();
    if (me() >= 128) {
      for (unsigned round = 0; round < 2 && me() == 128; ++round) {
        if (round == 1) wait_for_phase(free, 0);
        arrive_expecting(memory.barriers, 64 * 128);
        fetch_windows(memory.bytes, map, memory.barriers, 0, 0, 0, 0, 0, 0);
      }
      return;
    }
    Sums<64> sums;
    for (unsigned round = 0; round < 2; ++round) {
      wait_for_phase(memory.barriers, round);
      begin_products();
      multiply<Halves::bfloat>(sums, left_of(memory), right_of(memory));
      commit_products();
      if (finished) wait_for_products<0>(sums);
      if (round == 0 && leads() && me() / 32 < arrivals) arrive(free);
    }
    wait_for_products<0>(sums);
  };
  CHECK_NOTHROW(run(160, [&] { trial(4, true); }));
  check_says("the TMA is to overwrite shared memory that an unfinished product of warp 0 reads", 160,
             [&] { trial(4, false); });
  check_says("the TMA is to overwrite shared memory that", 160, [&] { trial(1, true); });
}

}  // namespace
}  // namespace wajah
