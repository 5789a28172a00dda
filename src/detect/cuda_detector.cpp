// The detector on a card.
#ifdef WAJAH_HAVE_CUDA
#include <wajah/detect/cuda_detector.hpp>
#else
#include <wajah/cuda.hpp>
#include <wajah/detect/detector.hpp>
#include <wajah/error.hpp>
#endif

namespace wajah {

std::shared_ptr<const DetectorModel> load_detector([[maybe_unused]] const Weights& mtcnn,
                                                   [[maybe_unused]] const Cuda& cuda) {
#ifdef WAJAH_HAVE_CUDA
  return load_cuda_detector(mtcnn, cuda.on_own_stream(Arithmetic::fp32));
#else
  fail(ErrorKind::device, "{}", cuda_runtime().explain(1));
#endif
}

}  // namespace wajah
