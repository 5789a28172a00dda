// The embedder on a card.
#ifdef WAJAH_HAVE_CUDA
#include <wajah/embed/cuda_embedder.hpp>
#else
#include <wajah/cuda.hpp>
#include <wajah/embed/embedder.hpp>
#include <wajah/error.hpp>
#endif

namespace wajah {

std::shared_ptr<const EmbedderModel> load_embedder([[maybe_unused]] const Weights& weights,
                                                   [[maybe_unused]] const Cuda& cuda) {
#ifdef WAJAH_HAVE_CUDA
  return load_cuda_embedder(weights, cuda);
#else
  fail(ErrorKind::device, "{}", cuda_runtime().explain(1));
#endif
}

}  // namespace wajah
