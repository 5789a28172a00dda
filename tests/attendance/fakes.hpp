// What the service's tests put in the place of networks, training, clocks and disks.
//
// A picture is a text: the faces in it, separated by spaces, each a name with an optional variant ("BUDI:2 SARI"). The
// same name gives nearly the same embedding. "none" has no face, "broken" cannot be decoded, "fault" breaks the engine.
// "ANI:1!dark" is a dark photo; what can stand there are the names of a photo's faults.
#pragma once

#include "attendance/data_folder.hpp"
#include "attendance/engine.hpp"
#include "attendance/service.hpp"
#include "attendance/sqlite_store.hpp"

#include <wajah/classifier.hpp>

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::attendance::testing {

using namespace std::chrono_literals;

class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

[[nodiscard]] std::vector<float> embedding_of(std::string_view face);
[[nodiscard]] Bytes picture(std::string_view faces);  // the text must outlive it
[[nodiscard]] File photo(std::string_view faces);     // named "<faces>.jpg"
[[nodiscard]] std::string contents(const std::filesystem::path& file);
[[nodiscard]] bool anywhere_below(const std::filesystem::path& folder, std::string_view bytes);

// Limits how large files may grow, so that a write is cut short as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &former_);
    const rlimit limit{bytes, former_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &former_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit former_{};
  void (*handler_)(int);
};

// A door that threads wait at; how a test holds a worker or a training where it wants it.
class Gate {
 public:
  void close();
  void open();
  void let_one_through();
  void pass();  // waits while it is closed
  // Waits until so many wait at the door; false after five seconds.
  [[nodiscard]] bool reached_by(std::size_t threads);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool closed_ = false;
  std::size_t waiting_ = 0, let_through_ = 0;
};

struct FakeAnalyserOptions {
  std::string model = "fake-1";
  bool keep_pictures = false;
  Gate* gate = nullptr;                            // passed before every picture
  std::atomic<int>* analysed = nullptr;            // counts pictures
  std::function<void(Bytes, Purpose)> observer{};  // called for every picture
  bool two_steps = false;  // finds first and embeds together; "unembeddable" breaks the second step
};

[[nodiscard]] std::vector<std::unique_ptr<Analyser>> fake_analysers(std::size_t workers,
                                                                    FakeAnalyserOptions options = {});

// Nearest mean; the confidence is the cosine to it.
[[nodiscard]] std::shared_ptr<const Classifier> train_nearest_mean(std::span<const Sample> samples,
                                                                   const ClassifierOptions& options = {});

// A service over real SQLite and fake networks.
struct Site {
  explicit Site(FakeAnalyserOptions analyser = {}, std::size_t workers = 2);

  // The service's options with this site's clock and log; tests change them before start().
  ServiceOptions options;
  EngineOptions engine_options;

  Service& start();
  void stop();

  TempFolder folder;
  std::unique_ptr<DataFolder> data;
  std::unique_ptr<Database> database;
  std::unique_ptr<SqliteStore> store;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<Service> service;
  std::atomic<std::int64_t> seconds;  // since 1970, what the clock says

  [[nodiscard]] std::vector<std::string> warnings() const;
  [[nodiscard]] std::vector<std::string> log_lines() const;  // of the clock's day
  [[nodiscard]] std::vector<AttendanceRow> rows() const;

  // The cause of the refusal that `call` throws; nothing if it throws none.
  template <class Call>
  [[nodiscard]] static std::optional<Cause> cause_of(Call&& call) {
    try {
      call();
    } catch (const Refusal& refusal) {
      return refusal.cause();
    }
    return std::nullopt;
  }

  FakeAnalyserOptions analyser;
  std::size_t workers;

 private:
  mutable std::mutex warnings_mutex_;
  std::vector<std::string> warnings_;
};

}  // namespace wajah::attendance::testing
