// Barriers in shared memory (mbarrier) on the host: what they order, and that each way to misuse them is found out.
#include "hopper_trial.hpp"

namespace wajah {
namespace {

using namespace hopper_trial;

TEST_CASE("cuda host: a barrier's phases end when all have arrived, and what came before them is seen") {
  run(96, [] {
    const Memory memory(3);
    WAJAH_SHARED(unsigned, numbers, 3);
    for (unsigned round = 0; round < 4; ++round) {
      if (leads()) numbers[me() / 32] = me() + round;
      if (leads()) arrive(memory.barriers);
      wait_for_phase(memory.barriers, round % 2);
      const unsigned other = (me() / 32 + 1) % 3;
      if (leads()) CHECK(numbers[other] == other * 32 + round);
      if (leads()) arrive(memory.barriers + 1);
      wait_for_phase(memory.barriers + 1, round % 2);
    }
  });
}

TEST_CASE("cuda host: the phase before the first counts as ended") {
  run(32, [] {
    const Memory memory;
    wait_for_phase(memory.barriers, 1);
  });
}

TEST_CASE("cuda host: misuse of barriers") {
  check_says("use of a barrier that nobody has made", 32, [] {
    WAJAH_DYNAMIC_SHARED(unsigned char, raw, room);
    arrive(shared_cast<Barrier>(raw));
  });
  check_says("use of a barrier that another warp makes, with nothing in between", 64, [] {
    const Memory memory(1, true, false);
    if (me() == 32) arrive(memory.barriers);
  });
  check_says("more arrive than the 2 it was made for", 32, [] {
    const Memory memory(2);
    if (me() == 0) arrive_expecting(memory.barriers, 16);
    if (me() < 2) arrive(memory.barriers);
  });
  check_says("(phase 0, 1 of 2 arrivals and 0 bytes missing)", 32, [] {
    const Memory memory(2);
    if (me() == 0) arrive(memory.barriers);
    wait_for_phase(memory.barriers, 0);
  });
  check_says("a barrier is made where there is one", 32, [] {
    const Memory memory;
    if (me() == 0) make_barrier(memory.barriers + 1, 1);
  });
  check_says("not divisible by 8", 32, [] {
    WAJAH_DYNAMIC_SHARED(unsigned char, raw, room);
    if (me() == 0) make_barrier(shared_cast<Barrier>(raw + 4), 1);
  });
  // A store after the arrival is none of those that the arrival tells of.
  check_says("was written by thread 0 and no barrier came in between", 64, [] {
    const Memory memory;
    WAJAH_SHARED(int, number, 1);
    if (me() == 0) {
      arrive(memory.barriers);
      number[0] = 1;
    }
    wait_for_phase(memory.barriers, 0);
    if (me() == 32 && number[0] != 1) return;
  });
}

}  // namespace
}  // namespace wajah
