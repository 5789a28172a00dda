#include "cli/gallery_trial.hpp"

#include "attendance/analyser.hpp"
#include "attendance/data_folder.hpp"
#include "attendance/digest.hpp"
#include "attendance/service.hpp"
#include "attendance/sqlite_store.hpp"
#include "cli/attendance.hpp"
#include "cli/report.hpp"

#include <wajah/error.hpp>

#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace wajah::cli {
namespace {

namespace fs = std::filesystem;
using attendance::Analyser;
using attendance::Analysis;
using attendance::Purpose;

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "wajah-evaluate-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) fail(ErrorKind::storage, "{}: a temporary folder cannot be made", name);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code none;
    fs::remove_all(path_, none);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  TemporaryFolder(TemporaryFolder&&) = delete;
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;

  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

struct Remembered {
  std::mutex mutex;
  std::map<std::pair<attendance::Digest, Purpose>, Analysis> analyses;
};

// Many galleries are drawn from the same photos.
class RememberingAnalyser final : public Analyser {
 public:
  RememberingAnalyser(std::unique_ptr<Analyser> inner, std::shared_ptr<Remembered> remembered)
      : inner_(std::move(inner)), remembered_(std::move(remembered)) {}

  [[nodiscard]] std::string model() const override { return inner_->model(); }
  [[nodiscard]] std::size_t dimension() const override { return inner_->dimension(); }

  [[nodiscard]] Analysis analyse(attendance::Bytes picture, Purpose purpose) override {
    const auto key = std::pair(attendance::digest_of(picture), purpose);
    {
      const std::scoped_lock lock(remembered_->mutex);
      if (const auto found = remembered_->analyses.find(key); found != remembered_->analyses.end())
        return found->second;
    }
    Analysis analysis = inner_->analyse(picture, purpose);
    const std::scoped_lock lock(remembered_->mutex);
    return remembered_->analyses.emplace(key, std::move(analysis)).first->second;
  }

 private:
  std::unique_ptr<Analyser> inner_;
  std::shared_ptr<Remembered> remembered_;
};

// One more than threads, because the engine keeps one of them free of enrolments.
std::vector<std::unique_ptr<Analyser>> analysers(const std::shared_ptr<const Models>& models, const Cpu& cpu) {
  const auto remembered = std::make_shared<Remembered>();
  std::vector<std::unique_ptr<Analyser>> all;
  for (auto& one :
       attendance::make_analysers(models, Cpu(1, cpu.isa()), static_cast<std::size_t>(cpu.threads()) + 1, {})) {
    all.push_back(std::make_unique<RememberingAnalyser>(std::move(one), remembered));
  }
  return all;
}

attendance::ServiceOptions service_options(const DecisionCurve& curve, const fs::path& log_folder, bool closed_set) {
  attendance::ServiceOptions options;
  options.log_folder = log_folder;
  options.classifier.curve = curve;
  options.classifier.closed_set = closed_set;
  options.classifier.threads = 0;
  options.recognise_deadline = options.upload_deadline = options.training_deadline = std::chrono::hours(1);
  return options;
}

std::string nik_of(std::size_t person) { return std::to_string(person + 1); }

// One gallery: enrolled when made, then asked.
class Gallery {
 public:
  Gallery(const PeopleFolder& folder, attendance::Engine& engine, const DecisionCurve& curve, Unreadable& unreadable,
          const GallerySettings& settings)
      : folder_(folder), unreadable_(unreadable), data_(temporary_.path()), database_(data_), store_(database_) {
    enrol(engine, service_options(curve, data_.log_folder(), false), settings);
    if (enrolled_.empty()) fail(ErrorKind::input, "nobody can be enrolled, {} people were refused", result_.refused);
    service_.emplace(store_, engine, service_options(curve, data_.log_folder(), settings.closed_set));
  }

  GalleryResult ask(const GallerySettings& settings, std::size_t threads,
                    const std::function<void(std::size_t, std::size_t)>& done) {
    for (const EnrolledDraw& one : enrolled_) {
      for (const std::size_t photo : one.probes) result_.genuine.push_back({{one.person, photo}});
    }
    for (const DrawnPhoto& stranger : draw_strangers(folder_.photo_counts(), away_, settings.random_state)) {
      if (result_.strangers.size() == settings.strangers) break;
      result_.strangers.push_back({stranger});
    }
    const std::size_t genuine = result_.genuine.size(), total = genuine + result_.strangers.size();
    std::atomic<std::size_t> next = 0;
    std::size_t finished = 0;
    std::exception_ptr failure;
    std::mutex mutex;
    const auto work = [&] {
      try {
        for (std::size_t i = next++; i < total; i = next++) {
          judge(i < genuine ? result_.genuine[i] : result_.strangers[i - genuine]);
          const std::scoped_lock lock(mutex);
          done(++finished, total);
        }
      } catch (...) {
        const std::scoped_lock lock(mutex);
        failure = std::current_exception();
        next = total;
      }
    };
    {
      std::vector<std::jthread> workers;
      for (std::size_t i = 0; i < threads; ++i) workers.emplace_back(work);
    }
    if (failure) std::rethrow_exception(failure);
    for (auto* judged : {&result_.genuine, &result_.strangers}) {
      result_.unreadable += std::erase_if(*judged, [](const Judged& one) { return one.unreadable; });
    }
    return std::move(result_);
  }

 private:
  // Who is enrolled is drawn beyond the number asked for, so that others stand ready for those who are refused.
  void enrol(attendance::Engine& engine, attendance::ServiceOptions options, const GallerySettings& settings) {
    options.train = [](std::span<const Sample>, const ClassifierOptions& classifier) {
      return train_classifier({}, classifier);
    };
    attendance::Service service(store_, engine, std::move(options));
    const auto drawn = draw_enrolment(folder_.photo_counts(), folder_.people.size(), settings.photos,
                                      settings.random_state, Fill::one_photo);
    for (const EnrolledDraw& one : drawn) {
      if (enrolled_.size() == settings.people) break;
      away_.push_back(one.person);
      if (upload(service, one)) enrolled_.push_back(one);
    }
    result_.galleries = 1;
    result_.people = enrolled_.size();
  }

  bool upload(attendance::Service& service, const EnrolledDraw& one) {
    std::vector<std::vector<std::byte>> bytes;
    std::vector<fs::path> names;
    for (const std::size_t photo : one.photos) {
      const fs::path& name = folder_.people[one.person].photos[photo];
      if (auto read = readable(name)) {
        bytes.push_back(*std::move(read));
        names.push_back(name);
      } else {
        ++result_.unreadable;
      }
    }
    std::vector<attendance::File> files;
    for (std::size_t i = 0; i < bytes.size(); ++i) files.push_back({names[i].string(), bytes[i]});
    while (!files.empty()) {
      try {
        const attendance::UploadResult uploaded = service.upload(nik_of(one.person), "PERSON", files);
        result_.photos += uploaded.stored;
        result_.skipped += uploaded.skipped.size();
        return true;
      } catch (const attendance::Refusal& refusal) {
        if (refusal.cause() != attendance::Cause::undecodable) break;
        // A file that is no picture is refused with the whole upload; the others are what is measured.
        const attendance::SkippedFile& bad = refusal.skipped().front();
        unreadable_.name(files[bad.index].filename, bad.reason);
        ++result_.unreadable;
        files.erase(files.begin() + static_cast<std::ptrdiff_t>(bad.index));
      }
    }
    ++result_.refused;
    return false;
  }

  // Nothing, and told so, if the file cannot be opened.
  std::optional<std::vector<std::byte>> readable(const fs::path& photo) try {
    return read_photo(photo);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    unreadable_.name(photo, error.what());
    return std::nullopt;
  }

  // Nothing, and told so, if the file is no picture.
  std::optional<Analysis> look(const fs::path& photo) try {
    const auto bytes = readable(photo);
    if (!bytes) return std::nullopt;
    return service_->look(*bytes, Purpose::recognise);
  } catch (const attendance::Refusal& refusal) {
    if (refusal.cause() != attendance::Cause::undecodable) throw;
    unreadable_.name(photo, refusal.skipped().front().reason);
    return std::nullopt;
  }

  void judge(Judged& judged) {
    const auto looked = look(folder_.people[judged.photo.person].photos[judged.photo.photo]);
    judged.unreadable = !looked;
    if (!looked) return;
    const Analysis& analysis = *looked;
    std::vector<Face> faces;
    for (const auto& found : analysis.faces) faces.push_back(found.face);
    const auto central = central_face(faces, analysis.width, analysis.height);
    if (!central) return;
    const auto gallery = service_->gallery();
    const Prediction prediction = gallery->classifier->predict(analysis.faces[*central].embedding);
    const attendance::Person* person = gallery->find(prediction.label);
    if (!person) return;
    judged.face = true;
    judged.confidence = prediction.confidence;
    judged.named = std::stoul(person->nik) - 1;
    judged.right = judged.named == judged.photo.person;
  }

  const PeopleFolder& folder_;
  Unreadable& unreadable_;
  TemporaryFolder temporary_;
  attendance::DataFolder data_;
  attendance::Database database_;
  attendance::SqliteStore store_;
  std::optional<attendance::Service> service_;
  std::vector<EnrolledDraw> enrolled_;
  std::vector<std::size_t> away_;  // enrolled or refused
  GalleryResult result_;
};

double share(const std::vector<Judged>& judged, const std::function<bool(const Judged&)>& counts) {
  if (judged.empty()) return 0;
  return static_cast<double>(std::ranges::count_if(judged, counts)) / static_cast<double>(judged.size());
}

}  // namespace

void GalleryResult::add(const GalleryResult& other) {
  galleries += other.galleries;
  people += other.people;
  photos += other.photos;
  refused += other.refused;
  skipped += other.skipped;
  unreadable += other.unreadable;
  genuine.insert(genuine.end(), other.genuine.begin(), other.genuine.end());
  strangers.insert(strangers.end(), other.strangers.begin(), other.strangers.end());
}

GalleryFigures figures_of(const GalleryResult& result, double accept) {
  const auto accepted = [&](const Judged& judged) { return judged.face && judged.confidence >= accept; };
  return {share(result.genuine, [](const Judged& judged) { return judged.right; }),
          share(result.genuine, [&](const Judged& judged) { return accepted(judged) && judged.right; }),
          share(result.genuine, [&](const Judged& judged) { return accepted(judged) && !judged.right; }),
          share(result.strangers, accepted)};
}

void Unreadable::name(const fs::path& photo, std::string_view reason) {
  const std::scoped_lock lock(mutex_);
  if (named_.insert(photo).second) fmt::print(stderr, "wajah evaluate: {}\n", about(photo.string(), reason));
}

GalleryTrials::GalleryTrials(const PeopleFolder& folder, const std::shared_ptr<const Models>& models, const Cpu& cpu)
    : folder_(folder),
      curve_(models->card().curve),
      threads_(static_cast<std::size_t>(cpu.threads())),
      engine_(analysers(models, cpu), {}) {}

GalleryResult GalleryTrials::run(const GallerySettings& settings,
                                 const std::function<void(std::size_t, std::size_t)>& done) {
  Gallery gallery(folder_, engine_, curve_, unreadable_, settings);
  return gallery.ask(settings, threads_, done);
}

}  // namespace wajah::cli
