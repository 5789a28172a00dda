#include "host_tensor_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "shared_memory.hpp"

namespace wajah::shim {
namespace {

using Kind = TensorMapPlan::Kind;

constexpr int wrong_value = 1;  // cudaErrorInvalidValue
constexpr unsigned row_bytes = 128, chunk = 16, element = 2;

// A plan in the 128 bytes of a map, and a number that bytes of no map have.
struct Image {
  std::uint32_t magic;
  Kind kind;
  const char* data;
  std::uint64_t stride[3];
  std::uint32_t size[4], box[4];
  std::int16_t first[2], last[2];
  std::uint16_t step, channels, pixels, dimensions;
};
static_assert(sizeof(Image) <= sizeof(TensorMap::bytes));
constexpr std::uint32_t magic = 0x7A11'3A9E;

Image image_of(const TensorMap& map) {
  Image image{};
  std::memcpy(&image, map.bytes, sizeof image);
  return image;
}

bool whole(std::uint64_t number, std::uint64_t least, std::uint64_t most) { return number >= least && number <= most; }

std::string why_not_windows(const TensorMapPlan& plan) {
  if (plan.dimensions != 4) return fmt::format("windows of {} dimensions, expected 4", plan.dimensions);
  for (int i = 0; i < 2; ++i) {
    if (plan.first[i] < -128 || plan.first[i] > 127 || plan.last[i] < -128 || plan.last[i] > 127) {
      return fmt::format("corners {} and {}, expected -128 to 127", plan.first[i], plan.last[i]);
    }
    if (plan.first[i] >= static_cast<std::int64_t>(plan.size[i + 1]) + plan.last[i])
      return "a bounding box without area";
  }
  if (!whole(plan.step, 1, 8)) return fmt::format("step {}, expected 1 to 8", plan.step);
  if (!whole(plan.pixels, 1, 1024)) return fmt::format("{} pixels, expected at most 1024", plan.pixels);
  if (plan.channels * element != row_bytes) return fmt::format("{} channels, expected 128 bytes", plan.channels);
  return {};
}

std::string why_not_tiles(const TensorMapPlan& plan) {
  for (int i = 0; i < plan.dimensions; ++i) {
    if (!whole(plan.box[i], 1, 256)) return fmt::format("a box of {}, expected 1 to 256", plan.box[i]);
  }
  if (plan.box[0] * element != row_bytes) return fmt::format("a box of {} elements, expected 128 bytes", plan.box[0]);
  return {};
}

// The swizzle of 128 bytes: of the sixteen-byte chunk's number within its row, the row's number within eight is taken
// away bit by bit. Rows are counted from where shared memory begins.
unsigned swizzled(unsigned address) {
  const unsigned row = address / row_bytes % 8, at = address / chunk % 8;
  return address / row_bytes * row_bytes + (at ^ row) * chunk + address % chunk;
}

// One row of 128 bytes that begins at `address` before swizzling; `from` may have fewer, the rest is zeros.
void put_row(const SharedMemory& shared, unsigned address, const char* from, std::size_t bytes) {
  char row[row_bytes] = {};
  if (bytes > 0) std::memcpy(row, from, bytes);
  for (unsigned at = 0; at < row_bytes; at += chunk) {
    std::memcpy(shared.at(swizzled(address + at)), row + at, chunk);
  }
}

// Of an innermost run that begins at `first`: how much of it is within the tensor, in bytes.
std::size_t within(const Image& map, int first) {
  const auto left = static_cast<std::int64_t>(map.size[0]) - first;
  return first < 0 ? 0 : static_cast<std::size_t>(std::clamp<std::int64_t>(left * element, 0, row_bytes));
}

struct Pixel {
  int w, h, n;
};

bool inside(const Image& map, const Pixel& at) {
  const auto below = [](int number, std::uint32_t size) { return number >= 0 && number < static_cast<int>(size); };
  return below(at.w, map.size[1]) && below(at.h, map.size[2]) && below(at.n, map.size[3]);
}

void windows_arrive(const Image& map, const SharedMemory& shared, unsigned to, std::span<const int> place,
                    std::span<const int> tap) {
  Pixel window{place[1], place[2], place[3]};
  for (unsigned p = 0; p < map.pixels; ++p) {
    const Pixel at{window.w + tap[0], window.h + tap[1], window.n};
    const bool there = inside(map, at);
    const std::size_t bytes = there ? within(map, place[0]) : 0;
    const char* const from = bytes == 0
                                 ? nullptr
                                 : map.data + static_cast<std::uint64_t>(at.w) * map.stride[0] +
                                       static_cast<std::uint64_t>(at.h) * map.stride[1] +
                                       static_cast<std::uint64_t>(at.n) * map.stride[2] + place[0] * int{element};
    put_row(shared, to + p * row_bytes, from, bytes);
    window.w += map.step;
    if (window.w <= static_cast<int>(map.size[1]) - 1 + map.last[0]) continue;
    window.w = map.first[0];
    window.h += map.step;
    if (window.h <= static_cast<int>(map.size[2]) - 1 + map.last[1]) continue;
    window.h = map.first[1];
    ++window.n;
  }
}

void tiles_arrive(const Image& map, const SharedMemory& shared, unsigned to, std::span<const int> place) {
  const unsigned rows = map.box[1] * map.box[2] * map.box[3];
  for (unsigned row = 0; row < rows; ++row) {
    const int at[3] = {place[1] + static_cast<int>(row % map.box[1]),
                       (map.dimensions > 2 ? place[2] : 0) + static_cast<int>(row / map.box[1] % map.box[2]),
                       (map.dimensions > 3 ? place[3] : 0) + static_cast<int>(row / map.box[1] / map.box[2])};
    bool there = true;
    std::uint64_t offset = 0;
    for (int i = 0; i < 3; ++i) {
      there = there && at[i] >= 0 && at[i] < static_cast<int>(map.size[i + 1]);
      offset += static_cast<std::uint64_t>(at[i]) * map.stride[i];
    }
    const std::size_t bytes = there ? within(map, place[0]) : 0;
    put_row(shared, to + row * row_bytes, bytes == 0 ? nullptr : map.data + offset + place[0] * int{element}, bytes);
  }
}

}  // namespace

std::string why_not_map(const TensorMapPlan& plan) {
  if (plan.dimensions < 2 || plan.dimensions > TensorMapPlan::most_dimensions) {
    return fmt::format("{} dimensions, expected 2 to 4", plan.dimensions);
  }
  if (reinterpret_cast<std::uintptr_t>(plan.data) % 16 != 0) return "a tensor at an address not divisible by 16";
  for (int i = 0; i < plan.dimensions; ++i) {
    if (!whole(plan.size[i], 1, std::uint64_t{1} << 32U)) return fmt::format("a dimension of {}", plan.size[i]);
  }
  for (int i = 0; i + 1 < plan.dimensions; ++i) {
    if (plan.stride_bytes[i] % 16 != 0 || plan.stride_bytes[i] >= std::uint64_t{1} << 40U) {
      return fmt::format("a stride of {} bytes, expected a multiple of 16", plan.stride_bytes[i]);
    }
  }
  return plan.kind == Kind::windows ? why_not_windows(plan) : why_not_tiles(plan);
}

int make_host_tensor_map(TensorMap* map, const TensorMapPlan& plan) {
  if (reinterpret_cast<std::uintptr_t>(map) % 64 != 0 || !why_not_map(plan).empty()) return wrong_value;
  Image image{};
  image.magic = magic;
  image.kind = plan.kind;
  image.data = static_cast<const char*>(plan.data);
  image.dimensions = static_cast<std::uint16_t>(plan.dimensions);
  for (int i = 0; i < 4; ++i) {
    const bool used = i < plan.dimensions;
    image.size[i] = used ? static_cast<std::uint32_t>(plan.size[i]) : 1;
    image.box[i] = used ? plan.box[i] : 1;
    if (i < 3) image.stride[i] = i + 1 < plan.dimensions ? plan.stride_bytes[i] : 0;
  }
  for (int i = 0; i < 2; ++i) {
    image.first[i] = static_cast<std::int16_t>(plan.first[i]);
    image.last[i] = static_cast<std::int16_t>(plan.last[i]);
  }
  image.step = static_cast<std::uint16_t>(plan.step);
  image.channels = static_cast<std::uint16_t>(plan.channels);
  image.pixels = static_cast<std::uint16_t>(plan.pixels);
  std::memcpy(map->bytes, &image, sizeof image);
  return 0;
}

std::string why_not_fetch(const TensorMap& map, unsigned shared_address, std::span<const int> place,
                          std::span<const int> tap) {
  const Image image = image_of(map);
  if (reinterpret_cast<std::uintptr_t>(&map) % 64 != 0) return "a tensor map at an address not divisible by 64";
  if (image.magic != magic) return "a fetch by something that is no tensor map";
  // The ISA asks for 128 bytes; the swizzle repeats after 1024, and descriptors of matrices are simple only there.
  if (shared_address % (8 * row_bytes) != 0) return "a fetch to an address not divisible by 1024";
  if (place.size() != image.dimensions) {
    return fmt::format("{} coordinates for a tensor of {}", place.size(), image.dimensions);
  }
  if (image.kind == Kind::tiles) return tap.empty() ? "" : "a fetch of windows by a map of tiles";
  if (tap.empty()) return "a fetch of tiles by a map of windows";
  for (std::size_t i = 0; i < 2; ++i) {
    if (tap[i] < 0 || tap[i] > 255) return fmt::format("tap {}, expected 0 to 255", tap[i]);
    if (place[i + 1] < image.first[i] || place[i + 1] > static_cast<int>(image.size[i + 1]) - 1 + image.last[i]) {
      return fmt::format("a window at {}, outside of {} to {}", place[i + 1], image.first[i],
                         static_cast<int>(image.size[i + 1]) - 1 + image.last[i]);
    }
  }
  return {};
}

std::size_t bytes_of_fetch(const TensorMap& map) {
  const Image image = image_of(map);
  if (image.kind == Kind::windows) return std::size_t{image.pixels} * row_bytes;
  return std::size_t{image.box[1]} * image.box[2] * image.box[3] * row_bytes;
}

void arrive_at(const TensorMap& map, const SharedMemory& shared, char* to, std::span<const int> place,
               std::span<const int> tap) {
  const Image image = image_of(map);
  const unsigned address = shared.address(to);
  if (image.kind == Kind::windows) {
    windows_arrive(image, shared, address, place, tap);
  } else {
    tiles_arrive(image, shared, address, place);
  }
}

}  // namespace wajah::shim
