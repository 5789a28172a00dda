// pnet_opposites: what P-Net regresses at one place of each level that has exactly one: the place as far from the other
// end of the row, which the cascade needs then (src/detect/cascade.cpp tells why).
// Step 1: P-Net's whole output stays in memory, 24 bytes a place, for a number that is looked up at most once a level.
// Step 2: that one place is computed again, by a block a level: a tile (pnet_tile.hpp) of one place, from 12 x 12
// pixels. Some 45,000 products, which take less time than the launch.
#include "pnet_tile.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

struct Plan {
  static constexpr int columns = 1, rows = 1, threads = 128;
  static constexpr PNetUnit unit1{1, 1}, unit2{1, 1}, unit3{1, 1};
};

__global__ void __launch_bounds__(Plan::threads) pnet_opposites_kernel(PNetLevelsArgs args) {
  wait_for_earlier();
  WAJAH_SHARED(float, memory, PNetMaps<Plan>::floats);
  WAJAH_SHARED(int, only, 1);
  const int level = static_cast<int>(blockIdx.x), told = args.first_level + level, t = static_cast<int>(threadIdx.x);
  if (args.to.of_level[told] != 1) return;  // the same for all threads, as below
  if (t == 0) only[0] = -1;
  __syncthreads();
  for (int i = t; i < min(*args.to.found, args.to.room); i += Plan::threads) {
    if (args.to.places[i].level == told) only[0] = i;
  }
  __syncthreads();
  const int number = only[0];
  if (number < 0) return;
  const PNetPlace& place = args.to.places[number];
  const LevelPixels& pixels = args.levels[level];
  const PNetTile<Plan> tile(memory, pixels, pnet_outputs(pixels.width) - 1 - place.column, place.row);
  tile.run(args.weights, [&](int, int, float, const float* regression) {
    for (int i = 0; i < 4; ++i) args.to.opposites[4 * told + i] = regression[i];
  });
}

}  // namespace

void pnet_opposites(const PNetLevelsArgs& args, const Launch& on) {
  launch("pnet_opposites", pnet_opposites_kernel, dim3{static_cast<unsigned>(args.count)}, dim3{Plan::threads}, 0, on,
         args);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
