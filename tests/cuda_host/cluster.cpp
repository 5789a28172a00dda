// The host build's clusters: what neighbours read, and that each kind of error is caught and says where.
#include <wajah/error.hpp>

#include <string>
#include <vector>

#include "check.hpp"
#include "cluster.hpp"

namespace wajah {
namespace {

constexpr unsigned threads = 64;

void run(unsigned clusters, unsigned cluster, const std::function<void()>& body, std::size_t dynamic = 0) {
  shim::launch({"trial", {clusters * cluster, 1, 1}, {threads, 1, 1}, dynamic, false, cluster}, nullptr, body);
}

std::string error_of(unsigned cluster, const std::function<void()>& body) {
  try {
    run(1, cluster, body);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

void check_says(const std::string& part, const std::function<void()>& body, unsigned cluster = 2) {
  const std::string said = error_of(cluster, body);
  CHECK_MESSAGE(said.find(part) != std::string::npos, "said: " << said << "; expected: " << part);
}

unsigned me() { return threadIdx.x; }
unsigned other() { return 1 - cluster_rank(); }

// Fills `tile` (4 words a thread) with numbers that tell the block.
void fill(Shared<unsigned> tile) {
  const unsigned number = cluster_rank() * 1000 + me();
  vector_at<uint4>(tile + me() * 4) = make_uint4(number, number, number, number);
}

TEST_CASE("cuda host: blocks of a cluster read what the others wrote") {
  std::vector<unsigned> sums(3 * 8);
  run(3, 8, [&] {
    WAJAH_SHARED(unsigned, tile, threads * 4);
    fill(tile);
    cluster_barrier();
    unsigned sum = 0;
    for (unsigned rank = 0; rank < 8; ++rank) {
      const unsigned from = (me() + 7) % threads;
      const uint4 there = neighbour_at<uint4>(tile + from * 4, rank);
      CHECK(there.z == rank * 1000 + from);
      sum += there.z;
    }
    cluster_barrier();
    if (me() == 5) sums[blockIdx.x] = sum;
    CHECK(blockIdx.x % 8 == cluster_rank());
  });
  for (const unsigned sum : sums) CHECK(sum == 28'000 + 8 * 12);
}

TEST_CASE("cuda host: the cluster's barrier in two halves, and as a barrier of the block") {
  run(2, 2, [&] {
    WAJAH_SHARED(unsigned, tile, threads * 4);
    fill(tile);
    arrive_in_cluster();
    const unsigned meanwhile = me();
    wait_in_cluster();
    CHECK(tile[(meanwhile ^ 32U) * 4] == cluster_rank() * 1000 + (me() ^ 32U));  // another warp's
    const uint4 there = neighbour_at<uint4>(tile + me() * 4, other());
    arrive_in_cluster();
    CHECK(there.x == other() * 1000 + me());
    wait_in_cluster();
    tile[me() * 4] = 1;  // all have read it
  });
}

TEST_CASE("cuda host: threads that have returned hold up nobody") {
  CHECK(error_of(2, [] {
          WAJAH_SHARED(unsigned, tile, threads * 4);
          fill(tile);
          if (me() >= 32) return;
          cluster_barrier();
          (void)neighbour_at<uint4>(tile + me() * 4, other());
          cluster_barrier();
        }) == "no error");
}

TEST_CASE("cuda host: a neighbour's memory is read too early, or was never written") {
  check_says("block (1, 0, 0), thread (63, 0, 0): read of byte 1008 of shared tile of another block, where thread 63",
             [] {
               WAJAH_SHARED(unsigned, tile, threads * 4);
               fill(tile);
               __syncthreads();  // of the own block only
               if (cluster_rank() == 1) (void)neighbour_at<uint4>(tile + me() * 4, 0);
               cluster_barrier();
             });
  check_says("no barrier of the cluster came in between", [] {
    WAJAH_SHARED(unsigned, tile, threads * 4);
    fill(tile);
    cluster_barrier();
    if (cluster_rank() == 0 && me() == 3) tile[3 * 4 + 1] = 7;  // anew
    if (cluster_rank() == 1) (void)neighbour_at<uint4>(tile + me() * 4, 0);
    cluster_barrier();
  });
  check_says("byte 12 of shared tile of another block", [] {  // written between arriving and waiting
    WAJAH_SHARED(unsigned, tile, threads * 4);
    fill(tile);
    arrive_in_cluster();
    if (me() == 0) tile[3] = 7;
    wait_in_cluster();
    (void)neighbour_at<uint4>(tile, other());
    cluster_barrier();
  });
  check_says("which no thread has written", [] {
    WAJAH_SHARED(unsigned, tile, threads * 4);
    if (cluster_rank() == 1) fill(tile);
    cluster_barrier();
    if (cluster_rank() == 1) (void)neighbour_at<uint4>(tile + me() * 4, 0);
    cluster_barrier();
  });
  check_says("16 bytes at byte 1024 of a shared array of 1024 bytes", [] {
    WAJAH_SHARED(unsigned, tile, threads * 4);
    fill(tile);
    cluster_barrier();
    (void)neighbour_at<uint4>(tile + (me() + 1) * 4, other());
    cluster_barrier();
  });
  check_says("block 2 of a cluster of 2", [] {
    WAJAH_SHARED(unsigned, tile, threads * 4);
    fill(tile);
    cluster_barrier();
    (void)neighbour_at<uint4>(tile + me() * 4, 2);
  });
}

TEST_CASE("cuda host: what a neighbour reads is overwritten too early") {
  check_says("of shared tile, which another block read with no barrier of the cluster in between", [] {
    WAJAH_SHARED(unsigned, tile, threads * 4);
    fill(tile);
    cluster_barrier();
    if (cluster_rank() == 1) (void)neighbour_at<uint4>(tile + me() * 4, 0);
    if (cluster_rank() == 0) {
      for (int i = 0; i < 3; ++i) __syncthreads();  // as long as it may take
      fill(tile);
    }
    cluster_barrier();
  });
}

TEST_CASE("cuda host: a block ends while another may still read its shared memory") {
  // In whichever order they happen to come.
  for (const unsigned first : {0U, 1U}) {
    const std::string said = error_of(2, [first] {
      WAJAH_SHARED(unsigned, tile, threads * 4);
      fill(tile);
      cluster_barrier();
      if (cluster_rank() == first) return;
      (void)neighbour_at<uint4>(tile + me() * 4, first);
    });
    const bool told = said.find("while another block may still read") != std::string::npos ||
                      said.find("of the cluster has returned") != std::string::npos;
    CHECK_MESSAGE(told, said);
  }
  check_says("returns, the last of its block, while another block may still read its shared memory", [] {
    WAJAH_SHARED(unsigned, tile, threads * 4);
    fill(tile);
    cluster_barrier();
    (void)neighbour_at<uint4>(tile + me() * 4, other());
  });
}

TEST_CASE("cuda host: the cluster's barrier used wrongly") {
  check_says("diverging barriers of the cluster", [] {
    if (cluster_rank() == 0) {
      cluster_barrier();
    } else {
      cluster_barrier();
    }
  });
  check_says("64 of the cluster's 128 at its barrier", [] {
    if (cluster_rank() == 0) cluster_barrier();
    if (cluster_rank() == 1 && me() != 0) __syncthreads();
    if (cluster_rank() == 1 && me() == 0) __syncwarp();
  });
  check_says("arrives twice", [] {
    arrive_in_cluster();
    arrive_in_cluster();
  });
  check_says("without having arrived", [] { wait_in_cluster(); });
  check_says("returns without having waited", [] { arrive_in_cluster(); });
}

TEST_CASE("cuda host: clusters that a card would refuse, and the memory that only they may have") {
  check_says(
      "blocks a cluster: 16, expected at most 8", [] {}, 16);
  CHECK_THROWS_WITH_AS(shim::launch({"trial", {3, 1, 1}, {threads, 1, 1}, 0, false, 2}, nullptr, [] {}),
                       doctest::Contains("3 blocks in x are not a multiple of the cluster's 2"), Error);
  constexpr std::size_t most = 227 * 1024;
  const auto touch = [] {
    WAJAH_DYNAMIC_SHARED(unsigned, tile, most / sizeof(unsigned));
    if (me() == 0) tile[most / sizeof(unsigned) - 1] = 1;
  };
  run(1, 2, touch, most);
  CHECK_THROWS_WITH_AS(run(1, 1, touch, most), doctest::Contains("expected at most 101376"), Error);
  CHECK_THROWS_WITH_AS(run(
                           1, 2, [] {}, most + 4),
                       doctest::Contains("expected at most 232448"), Error);
}

}  // namespace
}  // namespace wajah
