#include <wajah/cuda.hpp>
#include <wajah/error.hpp>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>

#include "card_memory.hpp"
#include "check.hpp"

namespace wajah {
namespace {

constexpr std::size_t staging_bytes = std::size_t{8} << 20U;   // pinned: a 1080p frame and more at once
constexpr std::size_t partial_bytes = std::size_t{16} << 20U;  // for sums that several blocks make together
constexpr int oldest_major = 8;                                // cp.async and the tensor cores' formats
constexpr int dependent_major = 9;                             // griddepcontrol
constexpr int hopper_major = 9;                                // clusters as sm_90a has them, and wgmma: no other

// What the environment says, or else the options. Throws Error (usage) where it says neither 0 nor 1.
bool asked_for(const char* variable, bool option) {
  const char* value = std::getenv(variable);
  if (value == nullptr) return option;
  if (value != std::string_view("0") && value != std::string_view("1")) {
    fail(ErrorKind::usage, "{}='{}': expected 0 or 1", variable, value);
  }
  return *value == '1';
}

constexpr std::string_view lost = "if the card was lost, start wajah again or use --device cpu";

using Clock = std::chrono::steady_clock;

// Most waits are for less than a millisecond, so the first are spent asking; a sleep is late by some 50 us.
void pause_after(Clock::duration waited) {
  using namespace std::chrono_literals;
  if (waited < 100us) return;
  if (waited < 1ms) {
    std::this_thread::yield();
  } else {
    std::this_thread::sleep_for(waited < 20ms ? 50us : 500us);
  }
}

}  // namespace

std::string_view name_of(Arithmetic arithmetic) {
  switch (arithmetic) {
    case Arithmetic::fp32: return "fp32";
    case Arithmetic::tf32: return "tf32";
    case Arithmetic::fp16: return "fp16";
    case Arithmetic::bf16: return "bf16";
    case Arithmetic::int8: return "int8";
  }
  return "unknown";
}

DeviceChoice parse_device(std::string_view text) {
  if (text == "auto") return {};
  if (text == "cpu") return {DeviceChoice::Kind::cpu, 0};
  if (text == "cuda") return {DeviceChoice::Kind::cuda, 0};
  DeviceChoice choice{DeviceChoice::Kind::cuda, 0};
  if (text.starts_with("cuda:")) {
    const std::string_view digits = text.substr(5);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), choice.card);
    if (error == std::errc() && end == digits.data() + digits.size() && choice.card >= 0) return choice;
  }
  fail(ErrorKind::usage, "--device '{}': expected auto, cpu or cuda[:n]", text);
}

std::optional<std::string> why_not_cuda(int card, const CudaDriver& driver) {
  int cards = 0;
  if (const int error = driver.count(&cards); error != 0) return driver.explain(error);
  if (cards == 0) return "no CUDA card found";
  if (card >= cards) return fmt::format("there is no CUDA card {}: this machine has {}", card, cards);
  CudaFacts facts;
  if (const int error = driver.describe(card, &facts); error != 0) return driver.explain(error);
  if (facts.major < oldest_major) {
    return fmt::format("card {} ({}) has compute capability {}.{}, the kernels need {}.0", card, facts.name,
                       facts.major, facts.minor, oldest_major);
  }
  return std::nullopt;
}

struct Cuda::Card {
  const CudaDriver& driver;
  int index;
  CudaFacts facts;
  std::shared_ptr<CardMemory> memory;
  std::chrono::milliseconds patience;
  bool dependent_launch, fused_blocks, warpgroup_products;

  // Once one has waited in vain nobody else shall, and a call may not return at all.
  void require_answers() const {
    if (memory->abandoned()) silent();
  }
  [[noreturn]] void silent() const {
    fail(ErrorKind::device, "card {}: the card has not answered for {:g} s; start wajah again or use --device cpu",
         index, std::chrono::duration<double>(patience).count());
  }
};

struct Cuda::Stream {
  Stream(std::shared_ptr<Card> on, Arithmetic arithmetic) : Stream(std::move(on)) {
    const CudaDriver& driver = card->driver;
    card->require_answers();
    check_cuda(driver, driver.use(card->index), "cudaSetDevice", card->index, lost);
    partials = card->memory->allocate(std::min(partial_bytes, card->memory->use().share / 8));
    check_cuda(driver, driver.make_stream(&launch.stream), "cudaStreamCreate", card->index, lost);
    check_cuda(driver, driver.allocate_pinned(&staging, staging_bytes), "cudaHostAlloc", card->index,
               "the host has too little memory that can be pinned");
    launch.partials = partials.as<float>();
    launch.partial_bytes = partials.size();
    launch.processors = card->facts.processors;
    launch.arithmetic = arithmetic;
    launch.dependent = card->dependent_launch;
    launch.make_tensor_map = card->warpgroup_products ? driver.make_tensor_map : nullptr;
  }
  // Also for one that was made in part. Stream and staging of a card that does not answer are left to it.
  ~Stream() {
    const CudaDriver& driver = card->driver;
    if (!answers()) return;
    if (launch.stream != nullptr) (void)driver.end_stream(launch.stream);
    if (staging != nullptr) (void)driver.release_pinned(staging);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  Stream(Stream&&) = delete;
  Stream& operator=(Stream&&) = delete;

  void copy(void* to, const void* from, std::size_t bytes, CopyDirection direction) const {
    check_cuda(card->driver, card->driver.copy(to, from, bytes, direction, launch.stream), "cudaMemcpyAsync",
               card->index, lost);
  }

  // Asks instead of cudaStreamSynchronize, which would wait for ever.
  void wait() const {
    const auto begun = Clock::now();
    while (true) {
      card->require_answers();
      bool done = false;
      check_cuda(card->driver, card->driver.query(launch.stream, &done), "cudaStreamQuery", card->index, lost);
      if (done) return;
      const auto waited = Clock::now() - begun;
      if (waited > card->patience) {
        card->memory->abandon();
        card->silent();
      }
      pause_after(waited);
    }
  }

  std::shared_ptr<Card> card;
  Launch launch;
  void* staging = nullptr;
  Buffer partials;

 private:
  explicit Stream(std::shared_ptr<Card> on) : card(std::move(on)) {}

  // After all that was launched, or without it if the card has failed otherwise: then nothing is computed any more.
  bool answers() const noexcept try {
    if (card->memory->abandoned()) return false;
    (void)card->driver.use(card->index);
    if (launch.stream != nullptr) wait();
    return true;
  } catch (const std::exception&) {
    return !card->memory->abandoned();
  }
};

Cuda::Cuda(const CudaOptions& options, const CudaDriver& driver) {
  if (!(options.memory_fraction > 0 && options.memory_fraction <= 1)) {
    fail(ErrorKind::usage, "engine.gpu.memory_fraction: {}, expected more than 0 and at most 1",
         options.memory_fraction);
  }
  const bool wants_dependent = asked_for("WAJAH_CUDA_DEPENDENT_LAUNCH", options.dependent_launch);
  const bool wants_fused = asked_for("WAJAH_CUDA_FUSED_BLOCKS", options.fused_blocks);
  const bool wants_warpgroups = asked_for("WAJAH_CUDA_WARPGROUP_PRODUCTS", options.warpgroup_products);
  if (const auto reason = why_not_cuda(options.card, driver)) {
    fail(ErrorKind::device, "--device cuda:{}: {}; use --device cpu", options.card, *reason);
  }
  check_cuda(driver, driver.use(options.card), "cudaSetDevice", options.card, lost);
  CudaFacts facts;
  check_cuda(driver, driver.describe(options.card, &facts), "cudaGetDeviceProperties", options.card, lost);
  const auto share = static_cast<std::size_t>(static_cast<double>(facts.total_bytes) * options.memory_fraction);
  auto memory = std::make_shared<CardMemory>(driver, options.card, share);
  const bool dependent = wants_dependent && facts.major >= dependent_major, hopper = facts.major == hopper_major;
  card_ = std::make_shared<Card>(Card{driver, options.card, std::move(facts), std::move(memory), options.patience,
                                      dependent, hopper && wants_fused, hopper && wants_warpgroups});
  stream_ = std::make_shared<Stream>(card_, options.arithmetic);
}

Cuda::Cuda(std::shared_ptr<Card> card, Arithmetic arithmetic)
    : card_(std::move(card)), stream_(std::make_shared<Stream>(card_, arithmetic)) {}

Cuda Cuda::on_own_stream() const { return on_own_stream(stream_->launch.arithmetic); }

Cuda Cuda::on_own_stream(Arithmetic arithmetic) const { return {card_, arithmetic}; }

Buffer Cuda::allocate(std::size_t bytes) const {
  card_->require_answers();
  return card_->memory->allocate(bytes);
}

void Cuda::upload(void* to, const void* from, std::size_t bytes) const {
  (void)launch();
  for (std::size_t done = 0; done < bytes;) {
    const std::size_t now = std::min(bytes - done, staging_bytes);
    std::memcpy(stream_->staging, static_cast<const char*>(from) + done, now);
    stream_->copy(static_cast<char*>(to) + done, stream_->staging, now, CopyDirection::to_card);
    stream_->wait();  // the staging memory is free again
    done += now;
  }
}

void Cuda::download(void* to, const void* from, std::size_t bytes) const {
  (void)launch();
  for (std::size_t done = 0; done < bytes;) {
    const std::size_t now = std::min(bytes - done, staging_bytes);
    stream_->copy(stream_->staging, static_cast<const char*>(from) + done, now, CopyDirection::from_card);
    stream_->wait();
    std::memcpy(static_cast<char*>(to) + done, stream_->staging, now);
    done += now;
  }
}

Buffer Cuda::uploaded(const void* from, std::size_t bytes) const {
  Buffer buffer = allocate(bytes);
  upload(buffer.as<>(), from, bytes);
  return buffer;
}

void Cuda::wait() const {
  (void)launch();
  stream_->wait();
}

struct CudaGraph::State {
  State(std::shared_ptr<const Cuda> owner, std::shared_ptr<const CardMemory> its, const CudaDriver& with, void* made,
        int on)
      : device(std::move(owner)), memory(std::move(its)), driver(with), graph(made), card(on) {}
  ~State() {
    if (!memory->abandoned()) (void)driver.end_graph(graph);  // it may still run on a card that does not answer
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  State(State&&) = delete;
  State& operator=(State&&) = delete;

  std::shared_ptr<const Cuda> device;
  std::shared_ptr<const CardMemory> memory;
  const CudaDriver& driver;
  void* graph;
  int card;
};

void CudaGraph::launch() const {
  check_cuda(graph_->driver, graph_->driver.launch_graph(graph_->graph, graph_->device->launch().stream),
             "cudaGraphLaunch", graph_->card, lost);
}

CudaGraph Cuda::capture(const std::function<void()>& work) const {
  const CudaDriver& driver = card_->driver;
  void* const stream = launch().stream;
  check_cuda(driver, driver.begin_capture(stream), "cudaStreamBeginCapture", card_->index, lost);
  void* graph = nullptr;
  try {
    work();
  } catch (...) {
    if (driver.end_capture(stream, &graph) == 0) (void)driver.end_graph(graph);
    throw;
  }
  check_cuda(driver, driver.end_capture(stream, &graph), "cudaStreamEndCapture", card_->index, lost);
  CudaGraph result;
  result.graph_ = std::make_shared<const CudaGraph::State>(std::make_shared<const Cuda>(*this), card_->memory, driver,
                                                           graph, card_->index);
  return result;
}

const Launch& Cuda::launch() const {
  card_->require_answers();
  check_cuda(card_->driver, card_->driver.use(card_->index), "cudaSetDevice", card_->index, lost);
  return stream_->launch;
}

int Cuda::card() const { return card_->index; }

bool Cuda::fused_blocks() const { return card_->fused_blocks; }

const CudaFacts& Cuda::facts() const { return card_->facts; }

Cuda::MemoryUse Cuda::memory() const { return card_->memory->use(); }

const Launch& launch_of(const Cuda& cuda) { return cuda.launch(); }

// Called by kernels/cuda/device_nvcc.hpp.
[[noreturn]] void cuda_launch_failed(const char* call, const char* kernel, int error);
void cuda_launch_failed(const char* call, const char* kernel, int error) {
  const CudaDriver& driver = cuda_runtime();
  fail(driver.no_room(error) ? ErrorKind::device_memory : ErrorKind::device, "{} of kernel {}: {}; {}", call, kernel,
       driver.explain(error), lost);
}

}  // namespace wajah
