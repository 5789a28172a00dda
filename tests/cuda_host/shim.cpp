// The host build's own tests: what it computes, and that each kind of error is caught and says where.
#include <wajah/error.hpp>

#include <sys/mman.h>

#include <array>
#include <numeric>

#include "check.hpp"
#include "device.hpp"

namespace wajah {
namespace {

// Runs `body` as every thread of `blocks` blocks.
void run(unsigned blocks, unsigned threads, const std::function<void()>& body, std::size_t dynamic = 0) {
  shim::launch({"trial", {blocks, 1, 1}, {threads, 1, 1}, dynamic}, nullptr, body);
}

std::string error_of(unsigned threads, const std::function<void()>& body) {
  try {
    run(1, threads, body);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// Checks that a kernel of one block ends with an error that has this part.
void check_says(const std::string& part, const std::function<void()>& body, unsigned threads = 64) {
  const std::string said = error_of(threads, body);
  CHECK_MESSAGE(said.find(part) != std::string::npos, "said: " << said << "; expected: " << part);
}

unsigned me() { return threadIdx.x; }

TEST_CASE("cuda host: every thread of every block runs once, with its indices") {
  std::vector<int> count(3 * 5 * 64);
  shim::launch({"trial", {3, 5, 1}, {32, 2, 1}, 0}, nullptr, [&] {
    CHECK(gridDim.y == 5);
    CHECK(blockDim.y == 2);
    ++count[((blockIdx.y * 3 + blockIdx.x) * 2 + threadIdx.y) * 32 + threadIdx.x];
  });
  CHECK(std::count(count.begin(), count.end(), 1) == 3 * 5 * 64);
}

TEST_CASE("cuda host: a sum over a block through shared memory, the textbook's") {
  std::vector<float> sums(7);
  run(7, 256, [&] {
    WAJAH_SHARED(float, numbers, 256);
    numbers[me()] = static_cast<float>(me() + blockIdx.x);
    __syncthreads();
    for (unsigned half = 128; half > 0; half /= 2) {
      if (me() < half) numbers[me()] += numbers[me() + half];
      __syncthreads();
    }
    if (me() == 0) sums[blockIdx.x] = numbers[0];
  });
  for (unsigned b = 0; b < 7; ++b) CHECK(sums[b] == 255.0F * 256 / 2 + 256.0F * static_cast<float>(b));
}

TEST_CASE("cuda host: shuffles, votes and reductions of a warp") {
  run(1, 64, [] {
    const int lane = static_cast<int>(me() % 32);
    CHECK(__shfl_sync(whole_warp, lane, 5) == 5);
    CHECK(__shfl_sync(whole_warp, lane, 1, 8) == lane / 8 * 8 + 1);
    CHECK(__shfl_xor_sync(whole_warp, lane, 16) == (lane ^ 16));
    CHECK(__shfl_down_sync(whole_warp, lane, 3) == (lane < 29 ? lane + 3 : lane));
    CHECK(__shfl_up_sync(whole_warp, lane, 3, 16) == (lane % 16 >= 3 ? lane - 3 : lane));
    CHECK(__ballot_sync(whole_warp, lane % 2 == 1) == 0xAAAA'AAAAU);
    CHECK(__any_sync(whole_warp, lane == 7) == 1);
    CHECK(__all_sync(whole_warp, lane < 31) == 0);
    CHECK(__reduce_add_sync(whole_warp, lane) == 31 * 16);
    CHECK(__reduce_max_sync(whole_warp, 100 - lane) == 100);
    CHECK(__reduce_min_sync(whole_warp, 100 - lane) == 69);
    if (lane < 16) CHECK(__reduce_add_sync(0xFFFFU, 1) == 16);
    CHECK(__syncthreads_count(lane == 0) == 2);
    CHECK(__syncthreads_or(lane == 40) == 0);
    CHECK(__syncthreads_and(lane < 32) == 1);
  });
}

TEST_CASE("cuda host: atomics, in global memory over all blocks and in shared") {
  int total = 0;
  float most = 0;
  run(8, 96, [&] {
    WAJAH_SHARED(int, own, 1);
    if (me() == 0) own[0] = 0;
    __syncthreads();
    atomicAdd(own, 1);
    __syncthreads();
    if (me() == 0) atomicAdd(&total, static_cast<int>(own[0]));
    atomicMax(&most, static_cast<float>(me()));
  });
  CHECK(total == 8 * 96);
  CHECK(most == 95);
}

TEST_CASE("cuda host: copies arrive when they are waited for, the rest of sixteen bytes is zeros") {
  alignas(16) std::array<float, 8> from{1, 2, 3, 4, 5, 6, 7, 8};
  run(1, 32, [&] {
    WAJAH_SHARED(float, to, 8);
    if (me() < 2) copy_async16(to + me() * 4, &from[me() * 4], me() == 0 ? 16 : 8);
    commit_copies();
    wait_for_copies<0>();
    __syncthreads();
    if (me() < 8) CHECK(to[me()] == (me() < 6 ? from[me()] : 0.0F));
  });
  check_says(
      "has not arrived",
      [&] {
        WAJAH_SHARED(float, to, 8);
        if (me() == 0) copy_async16(to, from.data(), 16);
        commit_copies();
        wait_for_copies<1>();
        __syncthreads();
        if (me() == 0 && to[0] != 1) return;
      },
      32);
}

TEST_CASE("cuda host: a kernel's errors say block, thread and what") {
  std::array<float, 4> numbers{};
  check_says("block (0, 0, 0), thread (63, 0, 0): read of byte 252 of shared tile, which no thread has written", [&] {
    WAJAH_SHARED(float, tile, 64);
    if (me() < 33) tile[me()] = 1;
    __syncthreads();
    if (tile[me()] != 1) return;
  });
  check_says(
      "4 bytes at byte 128 of a shared array of 128 bytes",
      [&] {
        WAJAH_SHARED(float, tile, 32);
        tile[me() + 1] = 1;
      },
      32);
  check_says("was written by thread 0 and no barrier came in between", [&] {
    WAJAH_SHARED(float, tile, 1);
    if (me() == 0) tile[0] = 1;
    if (tile[0] != 1) return;
  });
  check_says("which thread 63 read with no barrier in between", [&] {
    WAJAH_SHARED(float, tile, 1);
    if (me() == 0) tile[0] = 1;
    __syncthreads();
    if (me() >= 40 && tile[0] != 1) return;
    if (me() == 1) tile[0] = 2;
  });
  check_says("diverging barriers", [&] {
    if (me() < 32) {
      __syncthreads();
    } else {
      __syncthreads();
    }
  });
  check_says("63 of 64 at the barrier", [&] {
    if (me() == 5) return;
    __syncthreads();
  });
  check_says(
      "diverging warp",
      [&] {
        if (me() < 16) {
          __syncwarp();
        } else {
          __syncwarp();
        }
      },
      32);
  check_says(
      "leaves out lane 20", [&] { __syncwarp(0xFFFFU | (me() < 20 ? whole_warp : 0)); }, 32);
  check_says(
      "wait for one another for ever",
      [&] {
        if (me() != 3) __syncwarp();
      },
      32);
  check_says(
      "declare them alike",
      [&] {
        WAJAH_SHARED(float, tile, me() == 0 ? 1 : 2);
        tile[0] = 0;
      },
      32);
  check_says(
      "address not divisible", [&] { vector_at<float4>(numbers.data() + 1).x = 0; }, 32);
  check_says(
      "expected at most 101376",
      [&] {
        WAJAH_SHARED(float, tile, 60'000);
        tile[0] = 0;
      },
      32);
  check_says(
      "threads a block: 2048, expected at most 1024", [&] {}, 2048);
}

TEST_CASE("cuda host: a kernel that is launched as dependent waits for the one before it, first of all") {
  int number = 0;
  const auto said = [](const std::function<void()>& body) -> std::string {
    try {
      shim::launch({"trial", {2, 1, 1}, {32, 1, 1}, 0, true}, nullptr, body);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  const std::string early = " before it has waited for the kernel before (wait_for_earlier)";
  CHECK(said([&] {
          wait_for_earlier();
          if (me() == 0) atomicAdd(&number, 1);
          __syncthreads();
        }) == "no error");
  CHECK(number == 2);
  CHECK(said([&] { atomicAdd(&number, 1); }) ==
        "trial: block (0, 0, 0), thread (0, 0, 0): accesses memory" + early);
  CHECK(number == 2);
  CHECK(said([] {}).find("returns" + early) != std::string::npos);
  CHECK(said([] {
          if (me() != 3) wait_for_earlier();
        }).find("looks at its index" + early) != std::string::npos);
  CHECK(said([] { __syncthreads(); }).find("comes to a barrier" + early) != std::string::npos);
  CHECK(said([] { __syncwarp(); }).find("meets its warp" + early) != std::string::npos);
  CHECK(said([&] { (void)__ldg(&number); }).find("accesses memory" + early) != std::string::npos);
  alignas(16) std::array<float, 4> four{};
  CHECK(said([&] { (void)vector_at<float4>(four.data()).x; }).find("accesses memory" + early) != std::string::npos);
  CHECK(said([&] {
          WAJAH_SHARED(float, to, 4);
          copy_async16(to, four.data(), 16);
        }).find("copies" + early) != std::string::npos);
  CHECK(said([] {
          WAJAH_SHARED(float, tile, 1);
          tile[0] = 1;
        }).find("writes shared memory" + early) != std::string::npos);
}

TEST_CASE("cuda host: a warp's own order counts") {
  CHECK(error_of(64, [] {
          WAJAH_SHARED(float, tile, 64);
          tile[me()] = 1;
          __syncwarp();
          if (tile[me() ^ 1U] != 1) return;
        }) == "no error");
  check_says("no barrier came in between", [&] {
    WAJAH_SHARED(float, tile, 64);
    tile[me()] = 1;
    __syncwarp();
    if (me() >= 32 && tile[me() - 32] != 1) return;
  });
}

TEST_CASE("cuda host: a page that must not be touched") {
  void* page = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  auto* const forbidden = static_cast<volatile float*>(page);
  check_says("thread (17, 0, 0): access to", [&] {
    if (me() == 17) forbidden[3] = 1;
    __syncthreads();
  });
  munmap(page, 4096);
  // The host goes on as if nothing had happened.
  int ran = 0;
  run(1, 64, [&] {
    __syncthreads();
    ++ran;
  });
  CHECK(ran == 64);
}

}  // namespace
}  // namespace wajah
