// pnet_places: the few places of P-Net's output that look like faces, so that only those leave the card.
// Step 1: the whole output comes down, 24 bytes a place, of which one in a hundred is wanted.
// Step 2: threads take places, and who has one that counts draws the next number for it. The order is anybody's:
// whoever reads them sorts them anyway.
#include <wajah/cuda_kernels.hpp>

#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 256;

__global__ void __launch_bounds__(32) begin_anew(PNetPlacesArgs args) {
  wait_for_earlier();
  if (threadIdx.x == 0) *args.found = 0;
}

__global__ void __launch_bounds__(threads) pnet_places_kernel(PNetPlacesArgs args) {
  wait_for_earlier();
  const int i = static_cast<int>(blockIdx.x) * threads + static_cast<int>(threadIdx.x), width = args.x.shape.w;
  if (i >= args.x.shape.h * width) return;
  const int row = i / width, column = i % width;
  const float* const p = args.x.pixel(0, row, column);
  if (!(p[1] >= args.threshold)) return;
  const int number = atomicAdd(args.found, 1);
  if (number >= args.room) return;
  const float* const opposite = args.x.pixel(0, row, width - 1 - column);
  PNetPlace& place = args.places[number];
  place.level = args.level;
  place.column = column;
  place.row = row + args.first_row;
  place.score = p[1];
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    place.regression[k] = p[2 + k];
    place.opposite[k] = opposite[2 + k];
  }
}

}  // namespace

void pnet_places(const PNetPlacesArgs& args, const Launch& on) {
  if (args.anew) launch("pnet_places", begin_anew, dim3{1}, dim3{32}, 0, on, args);
  launch("pnet_places", pnet_places_kernel,
         dim3{blocks_of(static_cast<long long>(args.x.shape.h) * args.x.shape.w, threads)}, dim3{threads}, 0, on, args);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
