// Barriers and the TMA in the blocks of a cluster, on the host: each block has its own, and what neighbours may read of
// it goes by the cluster's barrier.
#include "cluster.hpp"
#include "hopper_trial.hpp"

namespace wajah {
namespace {

using namespace hopper_trial;

constexpr unsigned threads = 64, blocks = 2, rows = 8;

void run_cluster(const std::function<void()>& body) {
  shim::launch({"trial", {blocks, 1, 1}, {threads, 1, 1}, room, false, blocks, true}, nullptr, body);
}

void cluster_says(const std::string& part, const std::function<void()>& body) {
  std::string said = "no error";
  try {
    run_cluster(body);
  } catch (const Error& error) {
    said = error.what();
  }
  CHECK_MESSAGE(said.find(part) != std::string::npos, "said: " << said << "; expected: " << part);
}

// Eight pixels of 64 channels, from the row of that number on.
struct Source {
  Picture picture{1, 5, 7, 64, 64};
  TensorMap map = made(picture.windows(3, 5, 0, 0, 1, rows));

  void fetch(const Memory& memory, int row) const {
    if (me() != 0) return;
    arrive_expecting(memory.barriers, rows * 128);
    fetch_windows(memory.bytes, map, memory.barriers, 0, 0, row, 0, 0, 0);
  }
};

uint4 look(const Memory& memory, unsigned rank) { return neighbour_at<uint4>(memory.bytes + me() % 8 * 16, rank); }

TEST_CASE("cuda host: blocks of a cluster read what the TMA has brought to the others") {
  Source source;
  run_cluster([&] {
    const Memory memory(1, true, false);
    cluster_barrier();  // orders the making of barriers as well
    for (int round = 0; round < 4; ++round) {
      const int row = round % 2 + static_cast<int>(cluster_rank());
      source.fetch(memory, row);
      if (me() < 32) wait_for_phase(memory.barriers, static_cast<unsigned>(round) % 2);
      cluster_barrier();
      CHECK(word_at(memory.bytes, 3, 5) == source.picture.expected(0, row, 3, 5));  // the other warp has not waited
      const unsigned other = 1 - cluster_rank();
      const uint4 there = look(memory, other);
      const unsigned first =
          source.picture.expected(0, round % 2 + static_cast<int>(other), 0, static_cast<int>(me() % 8) * 8);
      CHECK((there.x & 0xFFFFU) == first);
      cluster_barrier();
    }
  });
}

TEST_CASE("cuda host: barriers are a block's own") {
  cluster_says("block (1, 0, 0), thread (0, 0, 0): use of a barrier that nobody has made", [] {
    WAJAH_DYNAMIC_SHARED(unsigned char, raw, room);
    if (cluster_rank() == 0 && me() == 0) make_barrier(shared_cast<Barrier>(raw), 1);
    cluster_barrier();
    if (me() == 0) arrive(shared_cast<Barrier>(raw));
  });
  cluster_says("block (1, 0, 0): threads wait for one another for ever; 64 for barrier 0 (phase 0, 1 of 1", [] {
    const Memory memory;
    if (me() == 0 && cluster_rank() == 0) arrive(memory.barriers);
    wait_for_phase(memory.barriers, 0);
  });
}

TEST_CASE("cuda host: a neighbour looks for what the TMA brings too early") {
  Source source;
  cluster_says("bytes that the TMA brings have not arrived", [&] {
    const Memory memory;
    if (cluster_rank() == 0) source.fetch(memory, 0);
    cluster_barrier();
    if (cluster_rank() == 1) (void)look(memory, 0);
    cluster_barrier();
  });
  // They are there by then, but nobody had heard of it who came to the barrier.
  cluster_says("of shared raw of another block, where the TMA wrote and no barrier of the cluster", [&] {
    const Memory memory;
    source.fetch(memory, 0);
    arrive_in_cluster();
    wait_for_phase(memory.barriers, 0);
    wait_in_cluster();
    if (cluster_rank() == 1) (void)look(memory, 0);
    cluster_barrier();
  });
}

TEST_CASE("cuda host: the TMA is to overwrite what a neighbour reads") {
  Source source;
  cluster_says("which another block read with no barrier of the cluster in between", [&] {
    const Memory memory;
    source.fetch(memory, 0);
    wait_for_phase(memory.barriers, 0);
    cluster_barrier();
    if (cluster_rank() == 1) (void)look(memory, 0);
    for (int i = 0; i < 3; ++i) __syncthreads();  // as long as it may take
    source.fetch(memory, 1);
    wait_for_phase(memory.barriers, 1);
    cluster_barrier();
  });
}

TEST_CASE("cuda host: a block of a cluster ends with bytes on their way") {
  Source source;
  cluster_says("the block has ended with bytes of the TMA on their way", [&] {
    const Memory memory;
    if (cluster_rank() == 1) source.fetch(memory, 0);
  });
}

// The warp's clock, which barriers in shared memory go by, would not tell.
TEST_CASE("cuda host: the cluster's barrier says nothing of what comes between arriving and waiting") {
  cluster_says("byte 0 of shared number was written by thread 0 and no barrier came in between", [] {
    WAJAH_DYNAMIC_SHARED(unsigned char, raw, room);
    WAJAH_SHARED(unsigned, number, 1);
    arrive_in_cluster();
    if (me() == 0) number[0] = 1;
    wait_in_cluster();
    if (me() == 32 && number[0] != 1) raw[0] = 1;
  });
}

}  // namespace
}  // namespace wajah
