// pnet_levels: P-Net on all levels of the pyramid, from bytes to the places that look like a face.
#include "pnet_tile.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

struct Plan {
  static constexpr int columns = 16, rows = 32, threads = 256;
  static constexpr PNetUnit unit1{4, 1}, unit2{6, 2}, unit3{8, 2};
};

struct Tiles {
  int across, down;

  __device__ __host__ explicit Tiles(const LevelPixels& level)
      : across((pnet_outputs(level.width) + Plan::columns - 1) / Plan::columns),
        down((pnet_outputs(level.height) + Plan::rows - 1) / Plan::rows) {}
  __device__ __host__ int count() const { return across * down; }
};

__global__ void __launch_bounds__(most_levels_at_once) begin_levels(PNetLevelsArgs args) {
  wait_for_earlier();
  const int i = static_cast<int>(threadIdx.x);
  if (i < args.count) args.to.of_level[args.first_level + i] = 0;
  if (i == 0 && args.first_level == 0) *args.to.found = 0;
}

__global__ void __launch_bounds__(Plan::threads, 2) pnet_levels_kernel(PNetLevelsArgs args) {
  wait_for_earlier();
  WAJAH_DYNAMIC_SHARED(float, memory, PNetMaps<Plan>::floats);
  int level = 0, tile = static_cast<int>(blockIdx.x);
  Tiles tiles(args.levels[0]);
  while (tile >= tiles.count()) {
    tile -= tiles.count();
    tiles = Tiles(args.levels[++level]);
  }
  const PNetTile<Plan> work(memory, args.levels[level], tile % tiles.across * Plan::columns,
                            tile / tiles.across * Plan::rows);
  const int told = args.first_level + level;
  work.run(args.weights, [&](int column, int row, float score, const float* regression) {
    if (!(score >= args.threshold)) return;
    atomicAdd(args.to.of_level + told, 1);
    const int number = atomicAdd(args.to.found, 1);
    if (number >= args.to.room) return;
    args.to.places[number] = {told, column, row, score, {regression[0], regression[1], regression[2], regression[3]}};
  });
}

}  // namespace

void pnet_levels(const PNetLevelsArgs& args, const Launch& on) {
  launch("pnet_levels", begin_levels, dim3{1}, dim3{most_levels_at_once}, 0, on, args);
  int tiles = 0;
  for (int i = 0; i < args.count; ++i) tiles += Tiles(args.levels[i]).count();
  launch("pnet_levels", pnet_levels_kernel, dim3{static_cast<unsigned>(tiles)}, dim3{Plan::threads},
         PNetMaps<Plan>::floats * sizeof(float), on, args);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
