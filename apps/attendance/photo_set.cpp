#include "attendance/photo_set.hpp"

#include "attendance/digest.hpp"
#include "attendance/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace wajah::attendance {

PhotoSet::PhotoSet(std::span<const File> files, const EnrolmentChecks& checks) : files_(files), checks_(checks) {
  for (std::size_t i = 0; i < files.size(); ++i) {
    digests_.push_back(digest_of(files[i].bytes));
    photos_.emplace(digests_.back(), i);
  }
}

std::vector<std::size_t> PhotoSet::to_analyse() const {
  std::vector<std::size_t> files;
  for (const auto& [digest, file] : photos_) {
    if (!known_.contains(digest) && !analysed_.contains(digest)) files.push_back(file);
  }
  std::ranges::sort(files);
  return files;
}

void PhotoSet::set_analysis(std::size_t file, Analysis analysis) {
  const Digest& digest = digests_[file];
  if (auto fault = fault_of(analysis, checks_)) faulty_.insert_or_assign(digest, std::move(*fault));
  analysed_.insert_or_assign(digest, std::move(analysis));
}

const PhotoVerdict* PhotoSet::verdict(const Digest& digest) const {
  if (known_.contains(digest)) return nullptr;
  if (const auto found = faulty_.find(digest); found != faulty_.end()) return &found->second;
  if (const auto found = compared_.find(digest); found != compared_.end()) return &found->second;
  return nullptr;
}

std::vector<std::size_t> PhotoSet::usable() const {
  std::vector<std::size_t> files;
  for (const auto& [digest, file] : photos_) {
    if (!known_.contains(digest) && !verdict(digest)) files.push_back(file);
  }
  std::ranges::sort(files);
  return files;
}

std::span<const float> PhotoSet::embedding(std::size_t file) const {
  return analysed_.at(digests_[file]).faces.front().embedding;
}

std::vector<SkippedFile> PhotoSet::skipped() const {
  std::vector<SkippedFile> skipped;
  for (std::size_t i = 0; i < digests_.size(); ++i) {
    if (const PhotoVerdict* why = verdict(digests_[i])) {
      skipped.push_back({shown(i), why->reason, why->fault, i, why->resembles});
    }
  }
  return skipped;
}

std::vector<NewPhoto> PhotoSet::new_photos() const {
  std::vector<NewPhoto> photos;
  for (const std::size_t file : usable()) {
    const Analysis& analysis = analysed_.at(digests_[file]);
    photos.push_back(
        {digests_[file], analysis.width, analysis.height, analysis.faces.front().embedding, analysis.picture});
  }
  return photos;
}

std::vector<Digest> PhotoSet::known_photos() const {
  std::vector<Digest> known;
  for (const auto& [digest, file] : photos_) {
    if (known_.contains(digest)) known.push_back(digest);
  }
  return known;
}

std::size_t PhotoSet::taken() const { return usable().size() + known_photos().size(); }

std::string PhotoSet::shown(std::size_t file) const {
  constexpr std::size_t longest = 100;
  const std::string& name = files_[file].filename;
  return name.empty() ? fmt::format("file {}", file + 1) : escape(std::string_view(name).substr(0, longest));
}

std::string told(std::span<const SkippedFile> skipped) {
  constexpr std::size_t most = 5;
  std::string text;
  for (const SkippedFile& file : skipped.first(std::min(skipped.size(), most))) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", file.filename, file.reason);
  }
  if (skipped.size() > most) text += fmt::format("; and {} more", skipped.size() - most);
  return text;
}

}  // namespace wajah::attendance
