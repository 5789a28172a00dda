// Reader of det1.npy, det2.npy, det3.npy (davidsandberg/facenet, src/align): 0-d object arrays, which NumPy pickles.
#pragma once

#include <wajah/weights.hpp>

#include <filesystem>

namespace wajah {

// Reads {layer: {weights, biases | alpha}} as tensors 'layer/weights', float32, row-major. A pickle is a program; this
// runs only the 27 opcodes and three NumPy names of the genuine files, none of which can call anything. Throws Error
// (model) naming opcode, byte and name on any other.
[[nodiscard]] Weights read_pickled_npy(const std::filesystem::path& file);

}  // namespace wajah
