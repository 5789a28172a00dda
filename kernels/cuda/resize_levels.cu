// resize_levels: all levels of the pyramid from a picture that lies on the card, in one launch.
// Step 1: a thread a pixel, which sums its own area of the picture.
#include <wajah/cuda_kernels.hpp>

#include "areas.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 256;

__host__ __device__ int blocks_for(const LevelPixels& level) {
  return (level.width * level.height + threads - 1) / threads;
}

__global__ void __launch_bounds__(threads) resize_levels_kernel(ResizeLevelsArgs args) {
  wait_for_earlier();
  int level = 0, block = static_cast<int>(blockIdx.x);
  while (block >= blocks_for(args.levels[level])) block -= blocks_for(args.levels[level++]);
  const LevelPixels& to = args.levels[level];
  const int i = block * threads + static_cast<int>(threadIdx.x);
  if (i >= to.width * to.height) return;
  const int row = i / to.width, column = i % to.width;
  const Resizing how(args.x.shape.w, args.x.shape.h, to.width, to.height);
  const Taps1d columns = how.taps(how.across, column), rows = how.taps(how.down, row);
  float total[3] = {0, 0, 0};
  for (int r = 0; r < rows.count; ++r) {
    const uint8_t* const pixels = args.x.pixel(0, rows.first + r, columns.first);
    float sum[3] = {0, 0, 0};
    for (int k = 0; k < columns.count; ++k) {
      const float weight = columns.weight(k);
#pragma unroll
      for (int c = 0; c < 3; ++c) sum[c] = __fadd_rn(sum[c], __fmul_rn(weight, static_cast<float>(pixels[3 * k + c])));
    }
    const float weight = rows.weight(r);
#pragma unroll
    for (int c = 0; c < 3; ++c) total[c] = __fadd_rn(total[c], __fmul_rn(sum[c], weight));
  }
  uint8_t* const pixel = to.row(row) + 3 * column;
#pragma unroll
  for (int c = 0; c < 3; ++c) {
    const float value = __fmul_rn(total[c], how.scale());
    pixel[c] = static_cast<uint8_t>(how.half_up() ? truncf(__fadd_rn(value, 0.5F)) : rintf(value));
  }
  if (column == to.width - 1) {
    for (uint8_t* rest = pixel + 3; rest < to.row(row + 1); ++rest) *rest = 0;
  }
}

}  // namespace

void resize_levels(const ResizeLevelsArgs& args, const Launch& on) {
  int blocks = 0;
  for (int i = 0; i < args.count; ++i) blocks += blocks_for(args.levels[i]);
  launch("resize_levels", resize_levels_kernel, dim3{static_cast<unsigned>(blocks)}, dim3{threads}, 0, on, args);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
