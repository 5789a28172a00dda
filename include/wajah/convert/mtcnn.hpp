// MTCNN's published weights (Zhang et al. 2016, as det?.npy of davidsandberg/facenet) in wajah's names and orientation.
#pragma once

#include <wajah/weights.hpp>

#include <filesystem>

namespace wajah {

// One set of the three networks: 'pnet/conv1/weights' [kh, kw, in, out], 'pnet/conv1/biases', 'pnet/PReLU1/alpha', then
// 'rnet/...' and 'onet/...', fully connected weights [in, out]. The files' kernels are for the transposed image; these
// are for the upright one. Throws Error (model) on a file that is not the network it should be.
[[nodiscard]] Weights convert_mtcnn(const std::filesystem::path& det1, const std::filesystem::path& det2,
                                    const std::filesystem::path& det3);

}  // namespace wajah
