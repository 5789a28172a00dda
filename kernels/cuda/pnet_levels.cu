// pnet_levels: P-Net on all levels of the pyramid, from bytes to the places that look like a face.
//
// The ladder, each step on top of the one before:
// 1. Layer by layer, level by level: eight launches a level, each waiting for the one before, and every map goes to
//    memory and comes back: 80 MB of them for the largest level of a 1080p picture at min size 20. The small levels
//    fill a tenth of the card.
// 2. One launch, a block a tile of 16 x 32 places of some level: bytes in, maps in shared memory, only places at or
//    above the threshold out. What tiles compute twice because windows reach beyond them is 41 % of conv1, 20 % of
//    conv2 and nothing of conv3, together a tenth more products; with tiles of 16 x 16 a seventh.
// 3. A thread makes several channels of several neighbouring outputs: 2 of 8 x 2 pixels of conv1 before pooling, 4 of
//    6 x 2 of conv2 and 4 of 8 x 2 of conv3. Of every input channel conv3 reads 40 pixels and 36 weights for 576
//    products: 7.6 for each number that comes from shared memory (5.0 in conv1, 6.4 in conv2). Shared memory gives a
//    warp one number a lane in a clock, while four warps multiply, so four would be needed at the very least, and most
//    reads are the same for several lanes and cost less.
// 4. Threads whose channels differ are neighbours, so that of a warp eight lanes read the same pixels of conv3 and four
//    the same weights; the channels of a thread are not neighbours (ChannelGroups), so that maps are written to
//    different banks.
// 5. The heads are sums over channels that eight neighbouring lanes have: 7 shuffles for 8 of them, after which each
//    lane has all six numbers of two places. conv3's map is never stored.
// 6. Rows beyond a level's last place are left out, which happens at the lower end of every level.
//
// What bounds it, for 1080p at min size 20: 361,164 places on 12 levels, 770 tiles, 5.8 for each of an H200's 132
// multiprocessors. The places need 2.64 G products: 79 us of all fp32 units at 1.98 GHz. With what tiles compute twice,
// idle lanes (conv2 has work for 204 of 256 threads), loads and index arithmetic, counted in the machine code, it is
// 110 us of all issue slots, 84 % of them products; nothing else comes near a limit: a tile reads 9 KB of bytes
// and 27 KB of weights from the second-level cache. Two blocks of 97 KB fit a multiprocessor, with 16 warps of 128
// registers: four for each of its schedulers, and two while the other block waits at one of its three barriers. At
// three quarters of the issue slots it takes 150 us. A block of 97 KB is also what cards of sm_86 and sm_89 can have.
//
// What would come next: Winograd's F(2 x 2, 3 x 3) would save half of conv2's and conv3's products, in maps that do not
// leave the block; three products of tf32 for one of fp32 have the accuracy, and tensor cores some three times the
// speed. None of this has run on a card.
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

__global__ void __launch_bounds__(most_levels) begin_levels(PNetLevelsArgs args) {
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
  launch("pnet_levels", begin_levels, dim3{1}, dim3{most_levels}, 0, on, args);
  int tiles = 0;
  for (int i = 0; i < args.count; ++i) tiles += Tiles(args.levels[i]).count();
  launch("pnet_levels", pnet_levels_kernel, dim3{static_cast<unsigned>(tiles)}, dim3{Plan::threads},
         PNetMaps<Plan>::floats * sizeof(float), on, args);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
