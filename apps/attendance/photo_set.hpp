// PhotoSet: the photos of one upload, told apart by their digests: the same bytes are analysed and stored once.
#pragma once

#include "attendance/engine.hpp"
#include "attendance/enrolment_checks.hpp"
#include "attendance/refusal.hpp"
#include "attendance/store.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace wajah::attendance {

struct File {
  std::string filename;  // for messages only, never a path
  Bytes bytes;
};

class PhotoSet {
 public:
  // Keeps the span and the checks: both outlive the set.
  PhotoSet(std::span<const File> files, const EnrolmentChecks& checks);

  // Photos that the store has already and that need no analysis.
  void set_known(std::span<const Digest> known) { known_ = {known.begin(), known.end()}; }

  // The first file of every photo that is neither known nor analysed.
  [[nodiscard]] std::vector<std::size_t> to_analyse() const;
  void set_analysis(std::size_t file, Analysis analysis);

  // The following need every photo to be known or analysed.

  // The first file of every new photo that nothing is said against, in the order of the files, and its embedding.
  [[nodiscard]] std::vector<std::size_t> usable() const;
  [[nodiscard]] std::span<const float> embedding(std::size_t file) const;

  // What comparing photos says against one, as opposed to what is wrong with it by itself; another comparison begins
  // with forgetting the last.
  void refuse(std::size_t file, PhotoVerdict verdict) {
    compared_.insert_or_assign(digests_[file], std::move(verdict));
  }
  void forget_refusals() { compared_.clear(); }

  [[nodiscard]] std::vector<SkippedFile> skipped() const;  // files that are not usable
  [[nodiscard]] std::vector<NewPhoto> new_photos() const;  // the usable ones
  [[nodiscard]] std::vector<Digest> known_photos() const;  // those of the upload that the store has
  [[nodiscard]] std::size_t taken() const;                 // photos that are usable or known, each counted once

  // A file as messages name it: what the client called it, or its place.
  [[nodiscard]] std::string shown(std::size_t file) const;

 private:
  [[nodiscard]] const PhotoVerdict* verdict(const Digest& digest) const;  // null: nothing is said against it

  std::span<const File> files_;
  const EnrolmentChecks& checks_;
  std::vector<Digest> digests_;           // of the files
  std::map<Digest, std::size_t> photos_;  // the first file of each photo
  std::set<Digest> known_;
  std::map<Digest, Analysis> analysed_;
  std::map<Digest, PhotoVerdict> faulty_, compared_;
};

// "a.jpg: no face was found; b.jpg: ...", the first few.
[[nodiscard]] std::string told(std::span<const SkippedFile> skipped);

}  // namespace wajah::attendance
