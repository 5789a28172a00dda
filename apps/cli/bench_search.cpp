// wajah bench search: the nearest of many embeddings, beside what reading them alone takes.
#include "cli/bench_verbs.hpp"
#include "cli/cuda_options.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/random_weights.hpp"
#include "cli/stream_rate.hpp"
#include "cli/timing.hpp"

#include <wajah/error.hpp>
#include <wajah/search/cuda_index.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

namespace wajah::cli {
namespace {

namespace json = boost::json;

struct Options {
  CommonOptions common;
  std::size_t vectors = 1'000'000, dimensions = 512, nearest = 5, queries = 0;
  std::string storage = "int8";
  double seconds = 2;
};

Storage storage_of(const std::string& name) {
  if (name == "fp32") return Storage::fp32;
  if (name == "fp16") return Storage::fp16;
  if (name == "int8") return Storage::int8;
  fail(ErrorKind::usage, "--storage {}: expected fp32, fp16 or int8", name);
}

Index filled_index(const Options& options, const Cpu& cpu) {
  Index index(options.dimensions, storage_of(options.storage), cpu);
  std::uint64_t seed = 1;
  for (std::size_t id = 0; id < options.vectors; ++id) {
    index.add(static_cast<std::int64_t>(id), random_values(options.dimensions, 1, seed));
  }
  return index;
}

// The share of the nearest vectors that a search finds, of `queries` invented ones, by comparison with every exact
// score.
template <class Nearest>
double measure_recall(const Options& options, const Nearest& nearest, const Cpu& cpu) {
  Index exact(options.dimensions, Storage::fp32, cpu);
  std::uint64_t seed = 1;
  for (std::size_t id = 0; id < options.vectors; ++id) {
    exact.add(static_cast<std::int64_t>(id), random_values(options.dimensions, 1, seed));
  }
  std::size_t found = 0, wanted = 0;
  seed = 11;
  for (std::size_t q = 0; q < options.queries; ++q) {
    const std::vector<float> query = random_values(options.dimensions, 1, seed);
    const auto best = exact.nearest(query, options.nearest), hits = nearest(query);
    wanted += best.size();
    for (const Hit& hit : best) found += std::ranges::count(hits, hit.id, &Hit::id) > 0 ? 1 : 0;
  }
  return static_cast<double>(found) / static_cast<double>(wanted);
}

// reading: of as many bytes by the CPU; there is none of a card.
void print(const Options& options, const Index& index, const std::string& device, int threads, const Timing& search,
           const std::optional<Timing>& reading, double recall) {
  const double megabytes = 1e-6 * static_cast<double>(index.bytes_read());
  if (options.common.json) {
    json::object result{{"vectors", options.vectors},
                        {"dimensions", options.dimensions},
                        {"storage", options.storage},
                        {"isa", device},
                        {"threads", threads},
                        {"bytes_read", index.bytes_read()},
                        {"bytes_kept", index.bytes_kept()},
                        {"median_ms", rounded(search.median_ms)},
                        {"min_ms", rounded(search.min_ms)}};
    if (reading) {
      result["reading_median_ms"] = rounded(reading->median_ms);
      result["reading_min_ms"] = rounded(reading->min_ms);
    }
    if (recall >= 0) result["recall"] = rounded(recall, 6);
    print_json(result);
    return;
  }
  fmt::print("{} x {} {}: median {:.2f} ms, min {:.2f}; ", options.vectors, options.dimensions, options.storage,
             search.median_ms, search.min_ms);
  if (reading) {
    fmt::print("reading {:.0f} MB alone {:.2f}, min {:.2f}: {:.2f} times that\n", megabytes, reading->median_ms,
               reading->min_ms, search.min_ms / reading->min_ms);
  } else {
    fmt::print("{:.0f} MB on {}, {:.1f} GB/s with the query's way there and back\n", megabytes, device,
               megabytes / search.min_ms);
  }
  if (recall >= 0) fmt::print("recall of the {} nearest: {:.5f}\n", options.nearest, recall);
}

std::vector<float> query_of(const Options& options) {
  std::uint64_t seed = 7;
  return random_values(options.dimensions, 1, seed);
}

void time_on_cpu(const Options& options) {
  const Cpu cpu = make_device(options.common);
  const Index index = filled_index(options, cpu);
  const std::vector<float> query = query_of(options);
  const Timing reading = measure_reading(index.bytes_read(), cpu.threads(), options.seconds / 2);
  const Timing search = measure(options.seconds, [&] { (void)index.nearest(query, options.nearest); });
  const auto nearest = [&](const std::vector<float>& q) { return index.nearest(q, options.nearest); };
  const double recall = options.queries > 0 ? measure_recall(options, nearest, cpu) : -1;
  print(options, index, std::string(name_of(cpu.isa())), cpu.threads(), search, reading, recall);
}

// The rows are filled and copied by the CPU; every search has the query's way to the card and the answer's back in it.
void time_on_card([[maybe_unused]] const Options& options) {
  check_threads(options.common);
  const Cuda cuda =
      make_cuda(parse_device(options.common.device), options.common.gpu_memory_fraction, Arithmetic::fp32);
#ifdef WAJAH_HAVE_CUDA
  const Cpu cpu(options.common.threads);
  const auto index = std::make_shared<const Index>(filled_index(options, cpu));
  CudaIndex<Cuda> on_card(cuda, index);
  const std::vector<float> query = query_of(options);
  const Timing search = measure(options.seconds, [&] { (void)on_card.nearest(query, options.nearest); });
  const auto nearest = [&](const std::vector<float>& q) { return on_card.nearest(q, options.nearest); };
  const double recall = options.queries > 0 ? measure_recall(options, nearest, cpu) : -1;
  print(options, *index, cuda.facts().name, 1, search, {}, recall);
#endif
}

}  // namespace

int bench_search(Arguments arguments) {
  Options options;
  OptionSet set("bench search [options]",
                "Times finding the nearest of many embeddings, exactly; on a card with --device cuda.");
  set.add("vectors", options.vectors, "N", "embeddings to search");
  set.add("dim", options.dimensions, "N", "numbers of an embedding");
  set.add("storage", options.storage, "fp32|fp16|int8", "how they are kept");
  set.add("nearest", options.nearest, "N", "how many to find");
  set.add("queries", options.queries, "N", "also measure the recall, with so many; keeps all vectors in fp32 as well");
  set.add("seconds", options.seconds, "S", "how long to measure");
  set.common(options.common, {.device = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  check_count("vectors", options.vectors, 1, 1'000'000'000);
  check_count("dim", options.dimensions, 1, 65'536);
  check_count("nearest", options.nearest, 1, options.vectors);
  check_seconds(options.seconds);
  (void)storage_of(options.storage);
  if (parse_device(options.common.device).kind == DeviceChoice::Kind::cuda) {
    time_on_card(options);
  } else {
    time_on_cpu(options);
  }
  return exit_yes;
}

}  // namespace wajah::cli
