// Turns a kernel's access to a page that must not be touched into an error that names the block and thread.
#pragma once

#include <signal.h>

namespace wajah::shim {

// While it lives. Faults outside of kernels go where they went before.
class MemoryFaults {
 public:
  MemoryFaults();
  ~MemoryFaults();
  MemoryFaults(const MemoryFaults&) = delete;
  MemoryFaults& operator=(const MemoryFaults&) = delete;
  MemoryFaults(MemoryFaults&&) = delete;
  MemoryFaults& operator=(MemoryFaults&&) = delete;

 private:
  struct sigaction before_ {};
};

}  // namespace wajah::shim
