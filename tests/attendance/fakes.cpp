#include "fakes.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <numeric>
#include <random>
#include <sstream>

namespace wajah::attendance::testing {
namespace {

constexpr std::size_t dimension = 64;

std::uint32_t seed_of(std::string_view text) {
  std::uint32_t seed = 2166136261U;  // FNV-1a
  for (const char c : text) seed = (seed ^ static_cast<unsigned char>(c)) * 16777619U;
  return seed;
}

std::vector<float> random_vector(std::string_view seed, float scale) {
  std::mt19937 random(seed_of(seed));
  std::vector<float> values(dimension);
  for (float& value : values) value = scale * (static_cast<float>(random()) / 2147483648.0F - 1.0F);
  return values;
}

float dot(std::span<const float> a, std::span<const float> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0F);
}

void make_unit(std::vector<float>& values) {
  const float norm = std::sqrt(dot(values, values));
  for (float& value : values) value /= norm;
}

// Of a good photo, spoilt by what follows the exclamation mark.
FaceMeasures measures_of(std::string_view face) {
  FaceMeasures measures;
  measures.size = 120, measures.detection = 1, measures.sharpness = 0.45;
  measures.p5 = 50, measures.p50 = 120, measures.p95 = 180;
  const auto mark = face.find('!');
  const std::string_view fault = mark == std::string_view::npos ? "" : face.substr(mark + 1);
  if (fault == "unclear") measures.detection = 0.7;
  if (fault == "too_small") measures.size = 31;
  if (fault == "blurred") measures.sharpness = 0.1;
  if (fault == "dark") measures.p5 = 1, measures.p50 = 20, measures.p95 = 60;
  if (fault == "bright") measures.p50 = 240, measures.p95 = 255;
  if (fault == "low_contrast") measures.p5 = 100, measures.p95 = 130;
  if (fault == "turned") measures.pose.yaw = 60;
  if (fault == "cut_off") measures.outside = 0.4;
  return measures;
}

class FakeAnalyser final : public Analyser {
 public:
  explicit FakeAnalyser(FakeAnalyserOptions options) : options_(std::move(options)) {}

  [[nodiscard]] std::string model() const override { return options_.model; }
  [[nodiscard]] std::size_t dimension() const override { return attendance::testing::dimension; }

  [[nodiscard]] Analysis analyse(Bytes bytes, Purpose purpose) override {
    if (options_.gate) options_.gate->pass();
    if (options_.analysed) ++*options_.analysed;
    if (options_.observer) options_.observer(bytes, purpose);
    const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (text.empty() || text.starts_with("broken")) fail(ErrorKind::input, "picture: not a JPEG, PNG or WebP");
    if (text.starts_with("fault")) fail(ErrorKind::device, "the device is on fire");
    Analysis analysis;
    analysis.width = 640, analysis.height = 480;
    std::istringstream faces(text);
    for (std::string face; faces >> face && face != "none";) {
      const auto left = 50.0 * static_cast<double>(analysis.faces.size());
      analysis.faces.push_back({{{left, 10, left + 40, 60}, 0.99F, {}}, embedding_of(face), measures_of(face)});
    }
    if (purpose == Purpose::enrol && analysis.faces.size() > 1) {
      analysis.faces.resize(1);
      analysis.rival = 1;
    }
    if (purpose == Purpose::enrol && options_.keep_pictures) analysis.picture.assign(bytes.begin(), bytes.end());
    return analysis;
  }

  // A crop is the name of the face in it.
  [[nodiscard]] Sighting find(Bytes bytes, Purpose purpose) override {
    Sighting sighting{analyse(bytes, purpose), purpose, {}};
    if (!options_.two_steps) return sighting;
    std::istringstream names(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    for (FaceEmbedding& face : sighting.analysis.faces) {
      std::string name;
      names >> name;
      face.embedding.clear();
      sighting.crops.emplace_back().pixels.assign(name.begin(), name.end());
    }
    return sighting;
  }

  void embed(std::span<Sighting> sightings) override {
    const auto name_of = [](const Image& crop) { return std::string(crop.pixels.begin(), crop.pixels.end()); };
    for (const Sighting& sighting : sightings) {
      for (const Image& crop : sighting.crops) {
        if (name_of(crop) == "unembeddable") fail(ErrorKind::device, "the device is on fire");
      }
    }
    for (Sighting& sighting : sightings) {
      for (std::size_t i = 0; i < sighting.crops.size(); ++i) {
        sighting.analysis.faces[i].embedding = embedding_of(name_of(sighting.crops[i]));
      }
    }
  }

 private:
  FakeAnalyserOptions options_;
};

class NearestMean final : public Classifier {
 public:
  explicit NearestMean(std::span<const Sample> samples) {
    for (const Sample& sample : samples) {
      auto& mean = means_[sample.label];
      mean.resize(sample.embedding.size());
      std::ranges::transform(mean, sample.embedding, mean.begin(), std::plus<>());
    }
    for (auto& [label, mean] : means_) make_unit(mean);
  }

  [[nodiscard]] Prediction predict(std::span<const float> embedding) const override {
    Prediction best;
    double second = 0;
    for (const auto& [label, mean] : means_) {
      const double similarity = dot(mean, embedding);
      if (best.label < 0 || similarity > best.similarity) {
        second = best.similarity;
        best = {label, std::max(similarity, 0.0), similarity, 0};
      }
    }
    best.margin = best.similarity - second;
    return best;
  }

  [[nodiscard]] Prediction verify(std::int64_t label, std::span<const float> embedding) const override {
    const auto mean = means_.find(label);
    if (mean == means_.end()) return {};
    const double similarity = dot(mean->second, embedding);
    return {label, std::max(similarity, 0.0), similarity, similarity};
  }

  [[nodiscard]] std::size_t people() const override { return means_.size(); }

 private:
  std::map<std::int64_t, std::vector<float>> means_;
};

}  // namespace

TempFolder::TempFolder() {
  auto name = (std::filesystem::temp_directory_path() / "wajah-test-XXXXXX").string();
  if (!::mkdtemp(name.data())) fail(ErrorKind::storage, "{}: cannot be made", name);
  path_ = name;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<float> embedding_of(std::string_view face) {
  auto values = random_vector(face.substr(0, face.find(':')), 1.0F);
  const auto variation = random_vector(face, 0.2F);
  std::ranges::transform(values, variation, values.begin(), std::plus<>());
  make_unit(values);
  return values;
}

Bytes picture(std::string_view faces) { return std::as_bytes(std::span(faces)); }

File photo(std::string_view faces) { return {std::string(faces) + ".jpg", picture(faces)}; }

std::string contents(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

bool anywhere_below(const std::filesystem::path& folder, std::string_view bytes) {
  const auto holds = [&](const auto& entry) {
    return entry.is_regular_file() && contents(entry.path()).find(bytes) != std::string::npos;
  };
  const std::filesystem::recursive_directory_iterator entries(folder);
  return std::any_of(begin(entries), end(entries), holds);
}

void Gate::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

void Gate::open() {
  const std::lock_guard lock(mutex_);
  closed_ = false;
  changed_.notify_all();
}

void Gate::let_one_through() {
  const std::lock_guard lock(mutex_);
  ++let_through_;
  changed_.notify_all();
}

void Gate::pass() {
  std::unique_lock lock(mutex_);
  ++waiting_;
  changed_.notify_all();
  changed_.wait(lock, [&] { return !closed_ || let_through_ > 0; });
  if (closed_) --let_through_;
  --waiting_;
}

bool Gate::reached_by(std::size_t threads) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, 5s, [&] { return waiting_ >= threads; });
}

std::vector<std::unique_ptr<Analyser>> fake_analysers(std::size_t workers, FakeAnalyserOptions options) {
  std::vector<std::unique_ptr<Analyser>> analysers;
  for (std::size_t i = 0; i < workers; ++i) analysers.push_back(std::make_unique<FakeAnalyser>(options));
  return analysers;
}

std::shared_ptr<const Classifier> train_nearest_mean(std::span<const Sample> samples, const ClassifierOptions&) {
  return std::make_shared<const NearestMean>(samples);
}

// 2026-11-22 07:58:11 in Jakarta.
Site::Site(FakeAnalyserOptions analyser_options, std::size_t worker_count)
    : seconds(1795309091), analyser(std::move(analyser_options)), workers(worker_count) {
  options.log_folder = folder.path() / "logging";
  options.train = train_nearest_mean;
  options.now = [this] { return Time(std::chrono::seconds(seconds)); };
  options.warn = [this](const std::string& message) {
    const std::lock_guard lock(warnings_mutex_);
    warnings_.push_back(message);
  };
}

Service& Site::start() {
  data = std::make_unique<DataFolder>(folder.path());
  database = std::make_unique<Database>(*data);
  store = std::make_unique<SqliteStore>(*database);
  engine = std::make_unique<Engine>(fake_analysers(workers, analyser), engine_options);
  service = std::make_unique<Service>(*store, *engine, options);
  return *service;
}

void Site::stop() {
  service.reset();
  engine.reset();
  store.reset();
  database.reset();
  data.reset();
}

std::vector<std::string> Site::warnings() const {
  const std::lock_guard lock(warnings_mutex_);
  return warnings_;
}

std::vector<std::string> Site::log_lines() const {
  std::ifstream file(DailyLog(options.log_folder, Zone(options.zone)).file_of(options.now()));
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::vector<AttendanceRow> Site::rows() const { return store->attendance(Time::min(), Time::max(), 0, 1'000'000); }

}  // namespace wajah::attendance::testing
