// Matrix tiles (AMX): eight registers of 16 rows of 64 bytes. One instruction multiplies 16 rows of 64 unsigned bytes
// by 64 x 16 signed ones, four rows of these side by side as VNNI wants them, and adds to 16 x 16 int32: 16,384
// products.
#pragma once

#include "vec.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

constexpr int tile_rows = 16;
constexpr int tile_row_bytes = 64;
constexpr int tile_bytes = tile_rows * tile_row_bytes;

#ifdef __AMX_INT8__

// While one of these lives, this thread's tiles are configured, all as large as can be; then they are given back, so
// that the system has nothing to save when it switches threads.
class Tiles {
 public:
  WAJAH_VEC Tiles() {
    Config config;
    for (int i = 0; i < count; ++i) {
      config.row_bytes[i] = tile_row_bytes;
      config.rows[i] = tile_rows;
    }
    asm volatile("ldtilecfg %0" : : "m"(config));
  }
  WAJAH_VEC ~Tiles() { asm volatile("tilerelease" : : : "memory"); }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;

 private:
  static constexpr int count = 8;
  struct alignas(tile_row_bytes) Config {
    uint8_t palette = 1, start_row = 0, reserved[14] = {};
    uint16_t row_bytes[16] = {};
    uint8_t rows[16] = {};
  };
};

// Not the compiler's own forms: those of g++ 12 do not say that they read memory.
template <int Tile>
WAJAH_VEC void zero_tile() {
  asm volatile("tilezero %%tmm%c0" : : "i"(Tile));
}
template <int Tile>
WAJAH_VEC void load_tile(const void* rows, ptrdiff_t stride) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(rows), "r"(stride), "i"(Tile) : "memory");
}
template <int Tile>
WAJAH_VEC void store_tile(void* rows, ptrdiff_t stride) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(rows), "r"(stride), "i"(Tile) : "memory");
}
template <int Sums, int Unsigned, int Signed>
WAJAH_VEC void dot_tiles() {
  asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(Sums), "i"(Unsigned), "i"(Signed));
}

#endif

}  // namespace wajah::WAJAH_KERNEL_ISA
