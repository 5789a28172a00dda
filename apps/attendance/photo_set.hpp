// PhotoSet: the photos of one upload, told apart by their digests: the same bytes are analysed and stored once.
#pragma once

#include "attendance/engine.hpp"
#include "attendance/store.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace wajah::attendance {

struct File {
  std::string filename;  // for messages only, never a path
  Bytes bytes;
};

struct SkippedFile {
  std::string filename, reason;
};

class PhotoSet {
 public:
  // Keeps the span: the files outlive the set.
  explicit PhotoSet(std::span<const File> files);

  // Photos that the store has already and that need no analysis.
  void set_known(std::span<const Digest> known) { known_ = {known.begin(), known.end()}; }

  // The first file of every photo that is neither known nor analysed.
  [[nodiscard]] std::vector<std::size_t> to_analyse() const;
  void set_analysis(std::size_t file, Analysis analysis);

  // The following need every photo to be known or analysed.
  [[nodiscard]] std::vector<SkippedFile> skipped() const;  // files without a face
  [[nodiscard]] std::vector<NewPhoto> new_photos() const;  // with a face, in the order of the files
  [[nodiscard]] std::vector<Digest> known_photos() const;  // those of the upload that the store has

  // A file as messages name it: what the client called it, or its place.
  [[nodiscard]] std::string shown(std::size_t file) const;

 private:
  [[nodiscard]] bool has_face(const Digest& digest) const;

  std::span<const File> files_;
  std::vector<Digest> digests_;           // of the files
  std::map<Digest, std::size_t> photos_;  // the first file of each photo
  std::set<Digest> known_;
  std::map<Digest, Analysis> analysed_;
};

// "a.jpg: no face was found; b.jpg: ...", the first few.
[[nodiscard]] std::string told(std::span<const SkippedFile> skipped);

}  // namespace wajah::attendance
