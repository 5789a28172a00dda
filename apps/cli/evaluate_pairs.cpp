// wajah evaluate pairs: how well detector, crop and embedder tell people apart, on pairs of photos.
#include "cli/evaluate_verbs.hpp"
#include "cli/json_text.hpp"
#include "cli/lfw_pairs.hpp"
#include "cli/options.hpp"
#include "cli/report.hpp"
#include "cli/svg_plot.hpp"
#include "cli/verification.hpp"
#include "cli/weight_files.hpp"

#include <wajah/error.hpp>
#include <wajah/evaluate.hpp>
#include <wajah/file.hpp>
#include <wajah/image_io.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>

namespace wajah::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

using Embedding = std::optional<std::vector<float>>;  // nothing: no photo, or no face in it

struct Options {
  CommonOptions common;
  std::string root, pairs, scores, plot;
};

struct Report {
  std::size_t pairs = 0, missing = 0, folds = 0;
  FoldAccuracy accuracy;
  double auc = 0, tar_1e2 = 0, tar_1e3 = 0, threshold = 0;
};

// Embeds the photos, one thread a photo: at this size the networks gain more from that than from sharing one.
class PhotoEmbedding {
 public:
  PhotoEmbedding(fs::path root, const std::vector<std::string>& photos)
      : root_(std::move(root)), photos_(photos), embeddings_(photos.size()), progress_("embedding", photos.size()) {}

  std::vector<Embedding> run(const std::shared_ptr<const Models>& models, const Cpu& cpu) {
    {
      std::vector<std::jthread> workers;
      for (int i = 0; i < cpu.threads(); ++i) workers.emplace_back([&] { work(models, Cpu(1, cpu.isa())); });
    }
    if (failure_) std::rethrow_exception(failure_);
    return std::move(embeddings_);
  }

 private:
  void work(const std::shared_ptr<const Models>& models, const Cpu& cpu) try {
    Recognizer recognizer(models, cpu);
    for (std::size_t i = next_++; i < photos_.size(); i = next_++) {
      embeddings_[i] = embed(recognizer, root_ / photos_[i]);
      const std::scoped_lock lock(mutex_);
      progress_.show(++done_);
    }
  } catch (...) {
    const std::scoped_lock lock(mutex_);
    failure_ = std::current_exception();
    next_ = photos_.size();
  }

  Embedding embed(Recognizer& recognizer, const fs::path& photo) {
    std::string reason = "no face found";
    try {
      if (Embedding embedding = embed_central_face(recognizer, read_image(photo))) return embedding;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::input) throw;
      reason = error.what();
    }
    const std::scoped_lock lock(mutex_);
    fmt::print(stderr, "wajah evaluate: {}\n", about(photo.string(), reason));
    return std::nullopt;
  }

  fs::path root_;
  const std::vector<std::string>& photos_;
  std::vector<Embedding> embeddings_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;  // guards all below, and the standard error
  std::size_t done_ = 0;
  Progress progress_;
  std::exception_ptr failure_;
};

std::vector<ScoredPair> score(const PairList& list, const std::vector<Embedding>& embeddings) {
  std::vector<ScoredPair> scored;
  for (const PhotoPair& pair : list.pairs) {
    const Embedding& a = embeddings[pair.first];
    const Embedding& b = embeddings[pair.second];
    if (a && b) scored.push_back({cosine(*a, *b), pair.same});
  }
  return scored;
}

void write_scores(const std::vector<ScoredPair>& scored, const fs::path& file) {
  std::string rows;
  for (const ScoredPair& pair : scored) rows += fmt::format("{},{}\n", pair.score, pair.same ? 1 : 0);
  const std::array parts{std::as_bytes(std::span(rows))};
  write_file(file, parts);
}

void draw_roc(const std::vector<ScoredPair>& scored, const fs::path& file) {
  std::vector<PlotPoint> points;
  for (const OperatingPoint& at : roc_curve(scored)) points.push_back({at.false_accepts, at.true_accepts});
  const double finest = 1 / static_cast<double>(std::max<std::size_t>(scored.size(), 10));
  SvgPlot plot(fmt::format("Verification of {} pairs (ROC)", scored.size()),
               {"different people accepted", finest, 1, Scale::logarithmic}, {"same people accepted", 0, 1});
  plot.add_curve("threshold on the cosine", std::move(points));
  plot.write(file);
}

// Ten as LFW has them, or of short lists as many as there are pairs of the rarer kind.
std::size_t folds_for(const std::vector<ScoredPair>& scored) {
  constexpr std::size_t most = 10;
  const auto same = static_cast<std::size_t>(std::ranges::count(scored, true, &ScoredPair::same));
  return std::min({most, same, scored.size() - same});
}

Report figures_of(const PairList& list, const std::vector<ScoredPair>& scored) {
  const std::size_t folds = folds_for(scored);
  return {scored.size(),
          list.pairs.size() - scored.size(),
          folds,
          fold_accuracy(scored, folds),
          roc_area(scored),
          true_accepts_at(scored, 1e-2),
          true_accepts_at(scored, 1e-3),
          best_threshold(scored).threshold};
}

void print_as_json(const Report& report) {
  print_json(
      json::object{{"pairs", report.pairs},
                   {"missing", report.missing},
                   {"folds", report.folds},
                   {"accuracy", rounded(report.accuracy.mean, 6)},
                   {"deviation", rounded(report.accuracy.deviation, 6)},
                   {"auc", rounded(report.auc, 6)},
                   {"tar", json::object{{"1e-2", rounded(report.tar_1e2, 6)}, {"1e-3", rounded(report.tar_1e3, 6)}}},
                   {"threshold", rounded(report.threshold, 6)}});
}

void print_as_text(const Report& report) {
  fmt::print("{} pairs, {} left out\n", report.pairs, report.missing);
  fmt::print("accuracy   {:.2f} % +- {:.2f}, {} folds, each with the best threshold of the others\n",
             report.accuracy.mean * 100, report.accuracy.deviation * 100, report.folds);
  fmt::print("ROC area   {:.5f}\n", report.auc);
  fmt::print("accepted   {:.2f} % at FAR 1e-2, {:.2f} % at FAR 1e-3\n", report.tar_1e2 * 100, report.tar_1e3 * 100);
  fmt::print("threshold  {:.4f}, the best for all pairs\n", report.threshold);
}

// Told before the work rather than after it: neither threshold nor curve comes of pairs of one kind.
void check_kinds(const PairList& list, const std::string& file) {
  constexpr std::size_t least = 2;
  const auto same = static_cast<std::size_t>(std::ranges::count(list.pairs, true, &PhotoPair::same));
  if (same >= least && list.pairs.size() - same >= least) return;
  fail(ErrorKind::input, "{}: {} pairs of one person and {} of two, expected {} of each at least", file, same,
       list.pairs.size() - same, least);
}

}  // namespace

int evaluate_pairs(Arguments arguments) {
  Options options;
  OptionSet set("evaluate pairs --root DIR --pairs FILE [options]",
                "Verifies LFW's pairs over DIR/<name>/<name>_NNNN.jpg with wajah's own detector and crop. Photos that "
                "are not there or show no face leave their pairs out, and are counted.");
  set.add("root", options.root, "DIR", "folder of the photos");
  set.add("pairs", options.pairs, "FILE", "'name i j' or 'name i other j' a line");
  set.add("scores", options.scores, "S.csv", "cosine and 1 or 0 of every pair, to write");
  set.add("plot", options.plot, "FILE.svg", "the ROC curve, to draw");
  set.common(options.common, {.device = true, .mtcnn = true, .weights = true, .mirror = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  if (options.root.empty()) fail(ErrorKind::usage, "--root is missing");
  if (options.pairs.empty()) fail(ErrorKind::usage, "--pairs is missing");

  for (const std::string& output : {options.scores, options.plot}) {
    if (!output.empty()) check_writable(output);
  }
  const PairList list = read_pairs(options.pairs);
  check_kinds(list, options.pairs);
  const Devices devices = make_devices(options.common);
  PhotoEmbedding embedding(options.root, list.photos);
  const std::vector<ScoredPair> scored = score(list, embedding.run(load_models(options.common, devices), devices.cpu));
  const Report report = figures_of(list, scored);
  if (options.common.json) {
    print_as_json(report);
  } else {
    print_as_text(report);
  }
  if (!options.scores.empty()) write_scores(scored, options.scores);
  if (!options.plot.empty()) draw_roc(scored, options.plot);
  return exit_yes;
}

}  // namespace wajah::cli
