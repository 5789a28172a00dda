// LFW's lists of photo pairs (Huang et al. 2007, pairs.txt).
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace wajah::cli {

struct PhotoPair {
  std::size_t first = 0, second = 0;  // indices of photos
  bool same = false;
};

struct PairList {
  std::vector<std::string> photos;  // <name>/<name>_NNNN.jpg, each once
  std::vector<PhotoPair> pairs;     // in the order of the file
};

// Reads "name i j" (one person) and "name i other j" (two); blank lines, lines that begin with # and a first line of
// counts alone are passed over. Throws Error (input) naming the line that is neither.
[[nodiscard]] PairList read_pairs(const std::filesystem::path& file);

}  // namespace wajah::cli
