#include <doctest/doctest.h>
#include <wajah/layers/pack.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace wajah {
namespace {

TEST_CASE("allocate_weights: buffers lie apart, aligned, and outlive one another") {
  const Cpu cpu;
  std::vector<Buffer> buffers;
  const std::size_t sizes[] = {1, 64, 100'000, 40'000'000, 3, 33'000'000, 2'000'000};  // some larger than a slab
  for (const std::size_t size : sizes) {
    buffers.push_back(allocate_weights(cpu, size));
    const Buffer& buffer = buffers.back();
    REQUIRE(buffer.size() >= size);
    CHECK(reinterpret_cast<std::uintptr_t>(buffer.as<char>()) % alignment == 0);
    std::memset(buffer.as<char>(), static_cast<int>(buffers.size()), buffer.size());
  }
  for (std::size_t i = 0; i < buffers.size(); i += 2) buffers[i] = {};  // every second one is given back
  for (std::size_t i = 1; i < buffers.size(); i += 2) {
    const char* first = buffers[i].as<char>();
    CHECK(std::all_of(first, first + buffers[i].size(), [&](char c) { return c == static_cast<char>(i + 1); }));
  }
  buffers.clear();
  Buffer again = allocate_weights(cpu, 50'000'000);
  std::memset(again.as<char>(), 1, again.size());
}

}  // namespace
}  // namespace wajah
