// conv2d over 16-bit maps for large layers on Hopper cards: y = activation(conv(x) + bias), or with a residual.
//
// The ladder, on top of that of conv2d.cu. None of it has been timed: no card was there.
// 1. mma.sync (conv2d_half.cu): every warp loads fragments into registers before it multiplies, and threads spend
//    instructions on addresses; about 60 % of the tensor cores is what that gives on Hopper.
// 2. Products of a warpgroup (wgmma): 64 rows x up to 256 columns at once, both matrices straight from shared memory,
//    while the threads go on. A tile of 128 rows is two warpgroups, which read the same weights.
// 3. The TMA brings both matrices, in the swizzled order that products read without bank conflicts. Windows of the
//    input come in its im2col mode: 128 windows' pixels under one tap are one instruction, whatever the window, its
//    stride and its padding, across rows and images; what is outside arrives as zeros. Boxes of a plain tensor would do
//    for stride 1 only, and tiles would have to be rectangles of one image: 17 x 17 and 8 x 8 maps fill no box of 128
//    pixels. Copies by threads (cp.async) would need their addresses again. Weights lie as for mma.sync, output
//    channels innermost, which wgmma reads as they are: both kernels share them, and who multiplies is decided at the
//    launch.
// 4. One warp brings, the others multiply: barriers in shared memory say what has arrived and what may be overwritten,
//    so that nobody waits for the slowest thread of the block. The bringing warp is a warp, not a warpgroup, and
//    registers are not moved between them (setmaxnreg): with 288 threads a block each may have up to 224, which is
//    enough for 128 sums. 64 and 128 columns leave room for two blocks on a multiprocessor: one ends while the other
//    multiplies.
// 5. Depth that a tap has not (80 channels are one and a quarter steps of 64) is not multiplied, and costs no traffic.
// 6. Sums end in registers: four lanes trade what they have of a row, so that each stores 16 bytes, and a residual is
//    read the same way back.
// 7. Tiles as wide as the layer allows: what limits a block is what the level-2 cache brings it, and a wider tile reads
//    x less often. Two blocks in a cluster that share what they read (multicast) would be the step after this one.
#include "conv2d_warpgroup.hpp"
#include "conv2d_warpgroup_tile.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

using namespace by_warpgroups;

// Grid: tiles of columns, tiles of rows. Blocks that share rows of x are neighbours.
template <class Tile>
__global__ void __launch_bounds__(Tile::threads, Tile::blocks_each)
    conv2d_by_warpgroups(Conv2dHalfArgs args, Windows windows, const __grid_constant__ TensorMap x,
                         const __grid_constant__ TensorMap weights) {
  wait_for_earlier();
  if constexpr (has_warpgroup_products) {
    WAJAH_DYNAMIC_SHARED(unsigned char, raw, Tile::shared_bytes);
    WAJAH_SHARED(Barrier, barriers, 2 * Tile::stages);
    const int thread = static_cast<int>(threadIdx.x), warp = thread / 32;
    if (thread == 0) {
      for (int stage = 0; stage < Tile::stages; ++stage) {
        make_barrier(barriers + stage, 1);
        make_barrier(barriers + (Tile::stages + stage), Tile::multiplying_warps);
      }
      fence_barriers();
    }
    __syncthreads();
    const unsigned to_pattern = (0U - shared_address(raw)) % warpgroup::pattern_bytes;
    const Ring<Tile> ring(raw + to_pattern, barriers, barriers + Tile::stages);
    const int first_row = static_cast<int>(blockIdx.y) * Tile::rows;
    const int first_column = static_cast<int>(blockIdx.x) * Tile::columns;
    if (warp == Tile::multiplying_warps) {
      if (thread % 32 == 0) bring<Tile>(args, windows, x, weights, ring, first_row, first_column);
      return;
    }
    const int group = warp / 4;
    Sums<Tile::columns> sums;
    multiply_all<Tile>(args, ring, group, thread % 32 == 0, sums);
    end<Tile>(args, windows, first_row + group * warpgroup::rows, first_column, thread % 128, sums);
  } else {
    stop_kernel();
  }
}

Windows windows_of(const Conv2dHalfArgs& args) {
  return {static_cast<int>(args.y.shape.pixels()),
          reach(args.x.shape.h, args.window.h, args.window.stride, args.pad).before,
          reach(args.x.shape.w, args.window.w, args.window.stride, args.pad).before};
}

TensorMapPlan plan_of_x(const Conv2dHalfArgs& args, const Windows& windows, bool bfloat, int pixels, int channels) {
  const Shape &x = args.x.shape, &y = args.y.shape;
  const auto pixel = static_cast<uint64_t>(args.x.stride) * sizeof(uint16_t);
  TensorMapPlan plan;
  plan.kind = TensorMapPlan::Kind::windows;
  plan.bfloat = bfloat;
  plan.data = args.x.data;
  plan.dimensions = 4;
  const int size[] = {x.c, x.w, x.h, x.n};
  for (int i = 0; i < 4; ++i) plan.size[i] = static_cast<uint64_t>(size[i]);
  plan.stride_bytes[0] = pixel;
  plan.stride_bytes[1] = pixel * plan.size[1];
  plan.stride_bytes[2] = pixel * plan.size[1] * plan.size[2];
  // Exactly as many windows as y has pixels, so that the TMA goes on to the next row and image where y does.
  plan.first[0] = -windows.before_x;
  plan.first[1] = -windows.before_y;
  plan.last[0] = (y.w - 1) * args.window.stride - windows.before_x - (x.w - 1);
  plan.last[1] = (y.h - 1) * args.window.stride - windows.before_y - (x.h - 1);
  plan.step = static_cast<uint32_t>(args.window.stride);
  plan.channels = static_cast<uint32_t>(channels);
  plan.pixels = static_cast<uint32_t>(pixels);
  return plan;
}

// Weights as packed: output channels, of a multiple of 8, innermost; then input channels; then taps.
TensorMapPlan plan_of_weights(const Conv2dHalfArgs& args, bool bfloat, int columns, int depth) {
  TensorMapPlan plan;
  plan.kind = TensorMapPlan::Kind::tiles;
  plan.bfloat = bfloat;
  plan.data = args.weights;
  plan.dimensions = 3;
  plan.size[0] = static_cast<uint64_t>(args.y.shape.c);
  plan.size[1] = static_cast<uint64_t>(args.x.shape.c);
  plan.size[2] = static_cast<uint64_t>(args.window.h * args.window.w);
  plan.stride_bytes[0] = plan.size[0] * sizeof(uint16_t);
  plan.stride_bytes[1] = plan.stride_bytes[0] * plan.size[1];
  plan.box[0] = static_cast<uint32_t>(columns);
  plan.box[1] = static_cast<uint32_t>(depth);
  plan.box[2] = 1;
  return plan;
}

template <class Tile>
void run(const Conv2dHalfArgs& args, const Windows& windows, const Launch& on) {
  constexpr const char* name = "conv2d_by_warpgroups";
  constexpr bool bfloat = is_bfloat<typename Tile::words>;
  const TensorMap x = tensor_map(name, on, plan_of_x(args, windows, bfloat, Tile::rows, Tile::depth));
  const TensorMap weights = tensor_map(name, on, plan_of_weights(args, bfloat, Tile::block_columns, Tile::depth));
  launch(name, conv2d_by_warpgroups<Tile>,
         dim3{blocks_of(args.y.shape.c, Tile::columns), blocks_of(windows.rows, Tile::rows)}, dim3{Tile::threads},
         Tile::shared_bytes, on, args, windows, x, weights);
}

// Tiles, by how many columns they have.
template <class Words>
using Narrow = WarpgroupTile<Words, 64, 4, 2>;
template <class Words>
using Middle = WarpgroupTile<Words, 128, 3, 2>;
template <class Words>
using Wide = WarpgroupTile<Words, 192, 5, 1>;
template <class Words>
using Widest = WarpgroupTile<Words, 256, 4, 1>;

template <class Words>
void run_columns(int columns, const Conv2dHalfArgs& args, const Windows& windows, const Launch& on) {
  switch (columns) {
    case 64: return run<Narrow<Words>>(args, windows, on);
    case 128: return run<Middle<Words>>(args, windows, on);
    case 192: return run<Wide<Words>>(args, windows, on);
    default: return run<Widest<Words>>(args, windows, on);
  }
}

// How much time a layer takes with this tile, in bytes: those that a step of the multiprocessor with most tiles brings.
// The level-2 cache gives a multiprocessor some 30 bytes a clock; products of 128 x 256 x 64 take 1024 clocks and 48
// KB, narrower ones more for each.
template <class Tile>
long long bytes_of_busiest(const Conv2dHalfArgs& args, const Windows& windows, const Launch& on) {
  const auto tiles = blocks_of(args.y.shape.c, Tile::columns) * blocks_of(windows.rows, Tile::rows);
  return static_cast<long long>(blocks_of(tiles, on.processors)) * Tile::stage_bytes;
}

// Of equals the wider.
int fastest_columns(const Conv2dHalfArgs& args, const Windows& windows, const Launch& on) {
  using Any = HalfWords;
  const long long bytes[] = {
      bytes_of_busiest<Widest<Any>>(args, windows, on), bytes_of_busiest<Wide<Any>>(args, windows, on),
      bytes_of_busiest<Middle<Any>>(args, windows, on), bytes_of_busiest<Narrow<Any>>(args, windows, on)};
  int best = 0;
  for (int i = 1; i < 4; ++i) {
    if (bytes[i] < bytes[best]) best = i;
  }
  return 256 - 64 * best;
}

bool has_room(const Conv2dHalfArgs& args) {
  constexpr int most_step = 8;                  // of the TMA
  constexpr int least_in = 32, least_out = 48;  // with fewer, more than half of a step or of a tile is zeros
  const bool y_fits = args.floats == nullptr
                          ? in_vectors(args.y)
                          : reinterpret_cast<uintptr_t>(args.floats) % 8 == 0 && args.y.stride % 2 == 0;
  return args.x.shape.c >= least_in && args.x.shape.c % 8 == 0 && args.y.shape.c >= least_out &&
         args.y.shape.c % 8 == 0 && args.window.stride <= most_step && in_vectors(args.x) && y_fits &&
         (args.epilogue.add.data == nullptr || in_vectors(args.epilogue.add));
}

}  // namespace

int warpgroup_columns(const Conv2dHalfArgs& args, const Launch& on) {
  if (on.make_tensor_map == nullptr || !has_room(args)) return 0;
  constexpr unsigned most_tiles_of_rows = 65'535;  // of a grid's second dimension
  const Windows windows = windows_of(args);
  const unsigned down = blocks_of(windows.rows, Narrow<HalfWords>::rows);
  const unsigned across = blocks_of(args.y.shape.c, Narrow<HalfWords>::columns);
  if (down > most_tiles_of_rows || down * across < static_cast<unsigned>(on.processors)) return 0;
  return fastest_columns(args, windows, on);
}

bool conv2d_warpgroup(const Conv2dHalfArgs& args, const Launch& on) {
  const int columns = warpgroup_columns(args, on);
  if (columns == 0) return false;
  if (on.arithmetic == Arithmetic::bf16) {
    run_columns<BfloatWords>(columns, args, windows_of(args), on);
  } else {
    run_columns<HalfWords>(columns, args, windows_of(args), on);
  }
  return true;
}

}  // namespace wajah::WAJAH_KERNEL_ISA
