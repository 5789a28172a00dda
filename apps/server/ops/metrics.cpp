#include "server/ops/metrics.hpp"

#include "server/reply.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace wajah::server {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

// From a health check to a large upload, in seconds.
const Histogram::BucketBoundaries request_buckets{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                  0.5,   1,      2.5,   5,    10,    30,   60,  120};
const Histogram::BucketBoundaries stage_buckets{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                                0.025,  0.05,    0.1,    0.25,  0.5,    1,     5};

const Histogram::BucketBoundaries batch_buckets{1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128, 256};

double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  double total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double open_descriptors() {
  std::error_code error;
  double count = 0;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end; !error && entry != end;
       entry.increment(error)) {
    ++count;
  }
  return count;
}

double processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

struct Metrics::Families {
  explicit Families(const BuildInfo& info) {
    prometheus::BuildGauge()
        .Name("wajah_build_info")
        .Help("Always 1; the labels say what runs.")
        .Register(registry)
        .Add({{"version", info.version}, {"model", info.model}, {"device", info.device}})
        .Set(1);
    gauge("process_start_time_seconds", "When the process started, since 1970.")
        .Set(std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count());
  }

  Gauge& gauge(const std::string& name, const std::string& help, const prometheus::Labels& labels = {}) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add(labels);
  }

  prometheus::Registry registry{prometheus::Registry::InsertBehavior::Merge};
  Family<Counter>& requests =
      prometheus::BuildCounter().Name("wajah_requests_total").Help("Answered requests.").Register(registry);
  Family<Histogram>& request_seconds = prometheus::BuildHistogram()
                                           .Name("wajah_request_seconds")
                                           .Help("From a request's first byte to its answer.")
                                           .Register(registry);
  Family<Histogram>& stage_seconds = prometheus::BuildHistogram()
                                         .Name("wajah_stage_seconds")
                                         .Help("Time of each stage of a request.")
                                         .Register(registry);
  Family<Histogram>& batch_pictures = prometheus::BuildHistogram()
                                          .Name("wajah_batch_pictures")
                                          .Help("Pictures that shared one pass of the embedding network.")
                                          .Register(registry);
  Family<Histogram>& batch_faces = prometheus::BuildHistogram()
                                       .Name("wajah_batch_faces")
                                       .Help("Faces that shared one pass of the embedding network.")
                                       .Register(registry);
  Family<Counter>& refusals = prometheus::BuildCounter()
                                  .Name("wajah_refused_callers_total")
                                  .Help("Wrong keys and passwords.")
                                  .Register(registry);
  Counter& warnings = prometheus::BuildCounter()
                          .Name("wajah_warnings_total")
                          .Help("Faults that the log tells about.")
                          .Register(registry)
                          .Add({});
};

Metrics::Metrics(const BuildInfo& info) : families_(std::make_unique<Families>(info)) {}
Metrics::~Metrics() = default;

void Metrics::request(const AccessLine& line) {
  const std::string route(line.path);
  families_->requests
      .Add({{"method", std::string(line.method)}, {"route", route}, {"status", std::to_string(line.status)}})
      .Increment();
  families_->request_seconds.Add({{"route", route}}, request_buckets).Observe(line.milliseconds / 1000);
  for (const auto& [stage, milliseconds] : line.stages) {
    families_->stage_seconds.Add({{"stage", std::string(stage)}}, stage_buckets).Observe(milliseconds / 1000);
  }
}

void Metrics::pass(std::string_view purpose, std::size_t pictures, std::size_t faces) {
  const prometheus::Labels labels{{"purpose", std::string(purpose)}};
  families_->batch_pictures.Add(labels, batch_buckets).Observe(static_cast<double>(pictures));
  families_->batch_faces.Add(labels, batch_buckets).Observe(static_cast<double>(faces));
}

void Metrics::refused(std::string_view why) { families_->refusals.Add({{"reason", std::string(why)}}).Increment(); }
void Metrics::warned() { families_->warnings.Increment(); }

std::string Metrics::text(const ServerState& state) {
  auto& f = *families_;
  f.gauge("wajah_ready", "1 if recognition works.").Set(state.ready ? 1 : 0);
  f.gauge("wajah_draining", "1 while shutting down.").Set(state.draining ? 1 : 0);
  f.gauge("wajah_connections", "Open connections.").Set(static_cast<double>(state.connections));
  for (const auto& [queue, waiting] : state.waiting) {
    f.gauge("wajah_queue_length", "What waits in a queue.", {{"queue", queue}}).Set(static_cast<double>(waiting));
  }
  f.gauge("wajah_engine_running", "Pictures being looked at now.").Set(static_cast<double>(state.engine_running));
  f.gauge("wajah_gallery_people", "Enrolled people.").Set(static_cast<double>(state.people));
  f.gauge("wajah_gallery_photos", "Their photos.").Set(static_cast<double>(state.photos));
  if (state.card) {
    f.gauge("wajah_card_in_use", "1 if the card computes, 0 while the CPU stands in.")
        .Set(state.card->use == CardUse::in_use ? 1 : 0);
    f.gauge("wajah_card_without_room", "What found no room on the card since the start, and went to the CPU.")
        .Set(static_cast<double>(state.card->without_room));
  }
  if (state.certificate_seconds_left) {
    f.gauge("wajah_certificate_seconds_left", "Until the TLS certificate expires.")
        .Set(*state.certificate_seconds_left);
  }
  f.gauge("process_resident_memory_bytes", "Memory in use.").Set(resident_bytes());
  f.gauge("process_cpu_seconds", "Processor time used.").Set(processor_seconds());
  f.gauge("process_open_fds", "Open file descriptors.").Set(open_descriptors());
  return prometheus::TextSerializer().Serialize(f.registry.Collect());
}

}  // namespace wajah::server
