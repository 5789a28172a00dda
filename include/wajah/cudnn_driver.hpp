// CudnnDriver: the calls that wajah makes of cuDNN's graph interface, as a table, so that tests can put a cuDNN of the
// host in its place. Every call gives a status, 0 if all is well. The numbers are cuDNN's own
// (src/cuda/cudnn_numbers.hpp), so neither its headers nor its library are needed to build wajah.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace wajah {

struct CudnnDriver {
  int (*create)(void** handle);  // cudnnCreate, for the card in use
  int (*destroy)(void* handle);
  int (*set_stream)(void* handle, void* stream);
  int (*make)(int kind, void** descriptor);  // cudnnBackendCreateDescriptor
  int (*end)(void* descriptor);
  int (*set)(void* descriptor, int name, int type, std::int64_t count, const void* values);
  int (*get)(const void* descriptor, int name, int type, std::int64_t room, std::int64_t* count, void* values);
  int (*finish)(void* descriptor);  // cudnnBackendFinalize
  int (*execute)(void* handle, void* plan, void* pack);
  const char* (*explain)(int status);
  std::size_t (*version)();  // 91002 is 9.10.2
};

// Opens a cuDNN library by the name or path that dlopen takes, for as long as the program runs. Throws Error (device):
// what was looked for, why it could not be had, and what to do.
[[nodiscard]] CudnnDriver open_cudnn(const std::string& library);

// libcudnn.so.9, opened when first asked for. Throws as open_cudnn does.
[[nodiscard]] const CudnnDriver& cudnn_library();

}  // namespace wajah
