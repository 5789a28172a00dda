#include "memory_fault.hpp"

#include <fmt/format.h>

#include <ucontext.h>

#include <cstdint>

#include "executor.hpp"

namespace wajah::shim {
namespace {

thread_local const void* fault_address = nullptr;

// Where the faulting thread goes on, on its own fiber, outside of the signal handler.
void land() { Executor::current().stop(fmt::format("access to {}, outside of every buffer", fault_address)); }

void handle(int signal_number, siginfo_t* info, void* machine) {
#if defined(__x86_64__)
  if (Executor::running()) {
    fault_address = info->si_addr;
    auto& registers = static_cast<ucontext_t*>(machine)->uc_mcontext.gregs;
    // As if called from the faulting instruction: below the red zone, aligned as after a call.
    const auto stack = static_cast<std::uintptr_t>(registers[REG_RSP]);
    registers[REG_RSP] = static_cast<greg_t>(((stack - 256) & ~std::uintptr_t{15}) - 8);
    registers[REG_RIP] = reinterpret_cast<greg_t>(&land);
    return;
  }
#endif
  signal(signal_number, SIG_DFL);  // the instruction runs again and ends the process
}

}  // namespace

MemoryFaults::MemoryFaults() {
  struct sigaction action {};
  action.sa_sigaction = &handle;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaction(SIGSEGV, &action, &before_);
}

MemoryFaults::~MemoryFaults() { sigaction(SIGSEGV, &before_, nullptr); }

}  // namespace wajah::shim
