// read_faces: boxes and landmarks of what O-Net left, best first. A thread a face.
#include "boxes.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 128;

// Through float, as the original stores them.
__device__ __forceinline__ float point(double from, double side, float at) {
  return static_cast<float>(__dadd_rn(__dadd_rn(__dmul_rn(side, static_cast<double>(at)), from), -1.0));
}

__global__ void __launch_bounds__(threads) read_faces_kernel(ReadFacesArgs args) {
  wait_for_earlier();
  const int count = *args.count;
  for (int i = static_cast<int>(threadIdx.x); i < count; i += threads) {
    const int source = args.sources[args.kept[i]];
    const ScoredCardBox judged = args.list.boxes[source];
    const float* const row = args.list.rows + static_cast<ptrdiff_t>(source) * args.list.channels;
    const ScoredCardBox box = regress(judged, row + 2, 1);
    CardFace face{{box.x1, box.y1, box.x2, box.y2}, {judged.x1, judged.y1, judged.x2, judged.y2}, row[1], {}};
    for (int k = 0; k < 5; ++k) {
      face.points[2 * k] = point(judged.x1, judged.x2 - judged.x1 + 1, row[6 + k]);
      face.points[2 * k + 1] = point(judged.y1, judged.y2 - judged.y1 + 1, row[11 + k]);
    }
    args.faces[i] = face;
  }
  if (threadIdx.x == 0) *args.faces_count = count;
}

}  // namespace

void read_faces(const ReadFacesArgs& args, const Launch& on) {
  launch("read_faces", read_faces_kernel, dim3{1}, dim3{threads}, 0, on, args);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
