// FusedPlan: how a cluster of a card's blocks computes one residual block of Inception-ResNet-v1 (fused_blocks.hpp): in
// four steps, which block makes which outputs, what lies where in its shared memory, and in which order weights come.
// The kernel is made from it, and load() packs by it.
#pragma once

#include <wajah/shape.hpp>

namespace wajah {

// One step: the convolutions that can be done at once. Every output looks at `inner` channels of a map, under a window.
struct FusedStep {
  int inner = 0;
  Window window{};
  int outputs = 0;  // channels, of all groups
  int group = 0;    // outputs that look at the same channels, and lie side by side
  int source[3]{};  // of each group: the first of these channels in the branches' map; step 0 looks at x
  int target[3]{};  // of each group: where its outputs go in that map; those of the last step go to x
  int warps_across = 1, warps_along = 1;  // how warps share the outputs, and the inner dimension
};

// Where one convolution of a block, in the order of its weights, comes into the steps.
struct FusedConv {
  int in = 0, out = 0;
  Window window{};
  int step = 0, first = 0;  // its first output of that step
};

struct FusedPlan {
  static constexpr int steps_count = 4, most_convs = 8;
  static constexpr int warps = 8, threads = 32 * warps;
  static constexpr int unit = 32;             // of the inner dimension: two products of the tensor cores
  static constexpr int tile = 8;              // outputs of one product
  static constexpr int chunk_words = 32 * 4;  // a unit of one tile's weights: 16 bytes a lane
  static constexpr int ring = 16;             // chunks a warp has in shared memory, all but two of them on the way
  static constexpr int most_words = 227 * 1024 / 4;  // shared memory of a block on sm_90

  int height = 0, width = 0, channels = 0;
  int across = 1, down = 1;  // blocks of a cluster: slices of outputs, times parts of the pixels
  int columns = 0;           // channels of the branches' map
  FusedStep steps[steps_count]{};
  FusedConv convs[most_convs]{};
  int convs_count = 0;

  [[nodiscard]] constexpr int pixels() const { return height * width; }
  [[nodiscard]] constexpr int cluster() const { return across * down; }
  // Pixels of a block, in whole products of 16; the last block may have fewer.
  [[nodiscard]] constexpr int rows() const { return ((pixels() + down - 1) / down + 15) / 16 * 16; }
  [[nodiscard]] constexpr int m_tiles() const { return rows() / 16; }

  [[nodiscard]] constexpr int units(int s) const {
    return steps[s].window.h * steps[s].window.w * steps[s].inner / unit;
  }
  [[nodiscard]] constexpr int units_each(int s) const {
    return (units(s) + steps[s].warps_along - 1) / steps[s].warps_along;
  }
  [[nodiscard]] constexpr int outputs_each(int s) const { return steps[s].outputs / across; }  // of a block
  [[nodiscard]] constexpr int tiles_each(int s) const { return outputs_each(s) / tile / steps[s].warps_across; }
  [[nodiscard]] constexpr int busy_warps(int s) const { return steps[s].warps_across * steps[s].warps_along; }

  // Chunks that a warp of every block reads in a block's four steps.
  [[nodiscard]] constexpr int chunks(int warp) const {
    int sum = 0;
    for (int s = 0; s < steps_count; ++s) sum += warp < busy_warps(s) ? units_each(s) * tiles_each(s) : 0;
    return sum;
  }
  [[nodiscard]] constexpr int most_chunks() const { return chunks(0); }

  // Biases of one residual block: those of the steps behind one another.
  [[nodiscard]] constexpr int first_bias(int s) const {
    int sum = 0;
    for (int i = 0; i < s; ++i) sum += steps[i].outputs;
    return sum;
  }
  [[nodiscard]] constexpr int biases() const { return first_bias(steps_count); }

  // Words of shared memory. Pitches put the rows of a product on different banks.
  [[nodiscard]] constexpr int x_pitch() const { return (channels + 8) / 2; }
  [[nodiscard]] constexpr int x_rows() const { return rows() < pixels() ? rows() : pixels(); }
  [[nodiscard]] constexpr int x_words() const { return x_rows() * x_pitch(); }
  [[nodiscard]] constexpr int pitch() const { return (columns + 8) / 2; }
  [[nodiscard]] constexpr int map_words() const { return (pixels() + 1) * pitch(); }  // and a row of zeros
  [[nodiscard]] constexpr int partial_words() const {
    int most = 0;
    for (int s = 0; s < steps_count; ++s) {
      const int tiles = steps[s].warps_across * m_tiles() * tiles_each(s);
      const int words = tiles * (steps[s].warps_along - 1) * 32 * 4;
      most = words > most ? words : most;
    }
    return most;
  }
  [[nodiscard]] constexpr int ring_words() const { return warps * ring * chunk_words; }
  [[nodiscard]] constexpr int shared_words() const { return x_words() + map_words() + partial_words() + ring_words(); }

  // Whether the numbers go together; everything that makes a plan asserts it.
  [[nodiscard]] constexpr bool holds() const {
    if (cluster() > 8 || shared_words() > most_words || pitch() % 8 != 4 || x_pitch() % 8 != 4) return false;
    for (int s = 0; s < steps_count; ++s) {
      const FusedStep& step = steps[s];
      if (step.inner % unit != 0 || step.outputs % (across * tile) != 0 || step.group % tile != 0) return false;
      if (outputs_each(s) % (tile * step.warps_across) != 0 || busy_warps(s) > warps) return false;
      // A block's outputs look at the same channels, unless those are all of x.
      if (s > 0 && step.group % outputs_each(s) != 0) return false;
      // Where warps share sums they meet before they write the map that they read.
      if (s > 0 && s + 1 < steps_count && step.warps_along == 1) return false;
    }
    return steps[steps_count - 1].warps_along == 1 && steps[0].inner == channels;
  }
};

// 17x17x256, branches of 32: 1x1; 1x1, 3x3; 1x1, 3x3, 3x3. Columns: 0 and 64 are of the sum's input, where the second
// convolution of branch 2 looks at 64 before the third one writes there.
inline constexpr FusedPlan block35_plan{17,
                                        17,
                                        256,
                                        2,
                                        4,
                                        160,
                                        {{256, {1, 1}, 96, 32, {}, {0, 96, 64}, 3, 2},
                                         {32, {3, 3}, 64, 32, {96, 64}, {32, 128}, 4, 2},
                                         {32, {3, 3}, 32, 32, {128}, {64}, 2, 3},
                                         {96, {1, 1}, 256, 256, {0}, {}, 8, 1}},
                                        {{256, 32, {1, 1}, 0, 0},
                                         {256, 32, {1, 1}, 0, 32},
                                         {32, 32, {3, 3}, 1, 0},
                                         {256, 32, {1, 1}, 0, 64},
                                         {32, 32, {3, 3}, 1, 32},
                                         {32, 32, {3, 3}, 2, 0},
                                         {96, 256, {1, 1}, 3, 0}},
                                        7};

// 8x8x896, branches of 128: 1x1; 1x1, 1x7, 7x1.
inline constexpr FusedPlan block17_plan{8,
                                        8,
                                        896,
                                        4,
                                        2,
                                        384,
                                        {{896, {1, 1}, 256, 128, {}, {0, 128}, 2, 4},
                                         {128, {1, 7}, 128, 128, {128}, {256}, 2, 4},
                                         {128, {7, 1}, 128, 128, {256}, {128}, 2, 4},
                                         {256, {1, 1}, 896, 896, {0}, {}, 7, 1}},
                                        {{896, 128, {1, 1}, 0, 0},
                                         {896, 128, {1, 1}, 0, 128},
                                         {128, 128, {1, 7}, 1, 0},
                                         {128, 128, {7, 1}, 2, 0},
                                         {256, 896, {1, 1}, 3, 0}},
                                        5};

// 3x3x1792, branches of 192: 1x1; 1x1, 1x3, 3x1.
inline constexpr FusedPlan block8_plan{3,
                                       3,
                                       1792,
                                       8,
                                       1,
                                       576,
                                       {{1792, {1, 1}, 384, 192, {}, {0, 192}, 1, 8},
                                        {192, {1, 3}, 192, 192, {192}, {384}, 1, 6},
                                        {192, {3, 1}, 192, 192, {384}, {192}, 1, 6},
                                        {384, {1, 1}, 1792, 1792, {0}, {}, 7, 1}},
                                       {{1792, 192, {1, 1}, 0, 0},
                                        {1792, 192, {1, 1}, 0, 192},
                                        {192, 192, {1, 3}, 1, 0},
                                        {192, 192, {3, 1}, 2, 0},
                                        {384, 1792, {1, 1}, 3, 0}},
                                       5};

inline constexpr FusedPlan fused_plans[] = {block35_plan, block17_plan, block8_plan};
static_assert(block35_plan.holds() && block17_plan.holds() && block8_plan.holds());

}  // namespace wajah
