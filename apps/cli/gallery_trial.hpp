// Galleries enrolled and asked as the attendance service does it: the same detection, choice of the face, checks,
// store, training and decision, in a data folder that is gone afterwards.
#pragma once

#include "attendance/engine.hpp"
#include "cli/people_folder.hpp"

#include <wajah/classifier.hpp>
#include <wajah/cpu.hpp>
#include <wajah/gallery_draw.hpp>
#include <wajah/recognizer.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string_view>
#include <vector>

namespace wajah::cli {

struct GallerySettings {
  std::size_t people = 0, photos = 5, strangers = 1000;
  std::uint64_t random_state = 1;
  bool closed_set = false;  // the original's rule
};

// A face held against the gallery; without a face nobody is recognised, with confidence 0.
struct Judged {
  DrawnPhoto photo;
  std::size_t named = 0;  // who it was taken for
  double confidence = 0;
  bool face = false, right = false;
  bool unreadable = false;  // not of a result: such photos are counted instead
};

struct GalleryResult {
  std::size_t galleries = 0, people = 0, photos = 0;  // enrolled
  std::size_t refused = 0, skipped = 0;               // people, and photos of those who were enrolled
  std::size_t unreadable = 0;                         // photos that are none: they take no part
  std::vector<Judged> genuine, strangers;

  void add(const GalleryResult& other);
};

// Shares of the genuine faces and of the strangers.
struct GalleryFigures {
  double rank1 = 0, genuine_accepted = 0, misidentified = 0, strangers_accepted = 0;
};
[[nodiscard]] GalleryFigures figures_of(const GalleryResult& result, double accept);

// Names photos that cannot be read on the standard error, each once. Any number of threads may.
class Unreadable {
 public:
  void name(const std::filesystem::path& photo, std::string_view reason);

 private:
  std::mutex mutex_;
  std::set<std::filesystem::path> named_;
};

class GalleryTrials {
 public:
  // Embeds a photo when it is first needed and remembers it; the folder outlives this object.
  GalleryTrials(const PeopleFolder& folder, const std::shared_ptr<const Models>& models, const Cpu& cpu);

  // Enrols people until there are as many as asked for; those whom the service refuses are counted and take no part.
  // People of one photo come last: they are enrolled without one to be recognised by. Photos that cannot be read are
  // named on the standard error, once each, and counted. done(n, of) tells of progress. Throws Error (input) if nobody
  // can be enrolled.
  [[nodiscard]] GalleryResult run(const GallerySettings& settings,
                                  const std::function<void(std::size_t, std::size_t)>& done);

 private:
  const PeopleFolder& folder_;
  DecisionCurve curve_;
  std::size_t threads_;
  attendance::Engine engine_;
  Unreadable unreadable_;
};

}  // namespace wajah::cli
