// What the host stands in for of the driver's tensor maps and of the TMA that follows them, from the words of the
// driver's header (cuTensorMapEncodeTiled, cuTensorMapEncodeIm2col) and of the PTX ISA ("Tensors", "Swizzling modes").
#pragma once

#include <wajah/tensor_map.hpp>

#include <cstddef>
#include <span>
#include <string>

namespace wajah::shim {

class SharedMemory;

// CudaDriver::make_tensor_map: 0, or an error where a driver refuses.
int make_host_tensor_map(TensorMap* map, const TensorMapPlan& plan);
// Why a driver refuses it; empty if it does not.
[[nodiscard]] std::string why_not_map(const TensorMapPlan& plan);

// Why this fetch is not defined; empty if it is. `place` goes from the innermost dimension outwards; `tap` is the
// offset of the window's pixel, width before height, and empty for tiles.
[[nodiscard]] std::string why_not_fetch(const TensorMap& map, unsigned shared_address, std::span<const int> place,
                                        std::span<const int> tap);
// What arrives, zeros included, and what the barrier counts.
[[nodiscard]] std::size_t bytes_of_fetch(const TensorMap& map);
void arrive_at(const TensorMap& map, const SharedMemory& shared, char* to, std::span<const int> place,
               std::span<const int> tap);

}  // namespace wajah::shim
