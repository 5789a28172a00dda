#include <wajah/cuda_clock.hpp>
#include <wajah/error.hpp>

#include "check.hpp"

namespace wajah {
namespace {

constexpr std::string_view hint = "kernels cannot be timed one by one here";

void check(const Cuda& device, int error, std::string_view call) {
  check_cuda(cuda_runtime(), error, call, device.card(), hint);
}

}  // namespace

KernelClock::KernelClock(const Cuda& device, const std::function<void(const std::function<void()>& mark)>& work,
                         const ClockDriver& driver)
    : device_(device), driver_(driver) {
  check(device, driver.begin(device.launch().stream, &recording_), "capturing");
  try {
    work([&] { check(device, driver.mark(recording_), "an event between launches"); });
    check(device, driver.end(recording_, &launches_), "a graph with an event between launches");
  } catch (...) {
    (void)driver.drop(recording_);
    throw;
  }
}

KernelClock::~KernelClock() {
  try {
    device_.wait();
    (void)driver_.drop(recording_);
  } catch (const Error&) {
    return;  // the card may still run it
  }
}

std::vector<double> KernelClock::time() const {
  (void)device_.launch();  // this thread's card
  check(device_, driver_.play(recording_), "a graph of kernels");
  device_.wait();
  std::vector<double> milliseconds;
  check(device_, driver_.read(recording_, &milliseconds), "cudaEventElapsedTime");
  return milliseconds;
}

std::string plain_kernel_name(std::string_view demangled) {
  std::string name(demangled);
  if (name.ends_with(')')) {
    std::size_t at = name.size();
    int depth = 0;
    do {
      --at;
      depth += name[at] == ')' ? 1 : name[at] == '(' ? -1 : 0;
    } while (at > 0 && depth > 0);
    name.resize(at);
  }
  for (const std::string_view part :
       {"void ", "(anonymous namespace)::", "wajah::cuda::", "wajah::", "(bool)", "(int)"}) {
    for (auto at = name.find(part); at != std::string::npos; at = name.find(part, at)) name.erase(at, part.size());
  }
  return name;
}

CardRates rates_of(const Cuda& device, const ClockDriver& driver) {
  CardRates rates;
  check(device, driver.rates(device.card(), &rates), "cudaDeviceGetAttribute");
  return rates;
}

}  // namespace wajah
