// Programmatic dependent launch: who is launched so, and that every kernel begins by waiting.
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>

#include "check.hpp"
#include "cuda_host/emulated_cuda.hpp"
#include "places.hpp"

namespace wajah {
namespace {

bool dependent(int major, bool option, const char* variable) {
  static int capability;
  capability = major;
  CudaDriver driver = host_driver();
  driver.describe = [](int, CudaFacts* facts) {
    return *facts = {"the host", capability, 0, 1, std::size_t{64} << 20U, std::size_t{64} << 20U}, 0;
  };
  CudaOptions options;
  options.dependent_launch = option;
  if (variable != nullptr) ::setenv("WAJAH_CUDA_DEPENDENT_LAUNCH", variable, 1);
  const bool result = Cuda(options, driver).on_own_stream().launch().dependent;
  ::unsetenv("WAJAH_CUDA_DEPENDENT_LAUNCH");
  return result;
}

TEST_CASE("dependent launch: where the card can and nobody has turned it off") {
  CHECK(dependent(9, true, nullptr));
  CHECK(dependent(10, true, "1"));
  CHECK_FALSE(dependent(8, true, nullptr));
  CHECK_FALSE(dependent(9, false, nullptr));
  CHECK_FALSE(dependent(9, true, "0"));
  CHECK(dependent(9, false, "1"));
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// The host build sees all but what a plain pointer reads; the first statement leaves nothing before it.
TEST_CASE("dependent launch: waiting is the first statement of every kernel") {
  const std::regex kernel(R"(__global__[^;{]*?(\w+)\([^;{()]*\)\s*\{\s*([^;]*;))");
  std::size_t kernels = 0;
  for (const auto& entry : std::filesystem::directory_iterator(source_folder() / "kernels" / "cuda")) {
    const auto extension = entry.path().extension();
    if (extension != ".cu" && extension != ".hpp") continue;
    const std::string text = text_of(entry.path());
    for (std::sregex_iterator found(text.begin(), text.end(), kernel), end; found != end; ++found) {
      ++kernels;
      CHECK_MESSAGE((*found)[2].str() == "wait_for_earlier();", fmt::format("{}: {} begins with {}",
                                                                      entry.path().filename().string(),
                                                                      (*found)[1].str(), (*found)[2].str()));
    }
  }
  CHECK(kernels >= 26);
}

}  // namespace
}  // namespace wajah
