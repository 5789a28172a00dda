#include <wajah/cudnn_driver.hpp>
#include <wajah/error.hpp>

#include <dlfcn.h>

namespace wajah {
namespace {

constexpr const char* how =
    "install cuDNN 9 for this CUDA or name its folder in LD_LIBRARY_PATH, or use --cuda-conv own";

template <class Function>
void find(void* library, const std::string& name, const char* symbol, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, symbol));
  if (function == nullptr) {
    fail(ErrorKind::device, "--cuda-conv cudnn: {} has no {}, which cuDNN 9 has; {}", name, symbol, how);
  }
}

}  // namespace

CudnnDriver open_cudnn(const std::string& name) {
  // Never closed: it is unsafe to unload a library whose threads and handles may be alive when the program ends.
  void* const library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const reason = dlerror();
    fail(ErrorKind::device, "--cuda-conv cudnn: {} cannot be opened ({}); {}", name,
         reason == nullptr ? "no reason given" : reason, how);
  }
  CudnnDriver driver{};
  find(library, name, "cudnnCreate", driver.create);
  find(library, name, "cudnnDestroy", driver.destroy);
  find(library, name, "cudnnSetStream", driver.set_stream);
  find(library, name, "cudnnBackendCreateDescriptor", driver.make);
  find(library, name, "cudnnBackendDestroyDescriptor", driver.end);
  find(library, name, "cudnnBackendSetAttribute", driver.set);
  find(library, name, "cudnnBackendGetAttribute", driver.get);
  find(library, name, "cudnnBackendFinalize", driver.finish);
  find(library, name, "cudnnBackendExecute", driver.execute);
  find(library, name, "cudnnGetErrorString", driver.explain);
  find(library, name, "cudnnGetVersion", driver.version);
  return driver;
}

const CudnnDriver& cudnn_library() {
  static const CudnnDriver driver = open_cudnn("libcudnn.so.9");
  return driver;
}

}  // namespace wajah
