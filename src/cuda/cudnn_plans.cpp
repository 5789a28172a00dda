#include <wajah/cudnn.hpp>
#include <wajah/error.hpp>
#include <wajah/layers/cuda_format.hpp>

#include <algorithm>
#include <array>
#include <list>
#include <optional>

#include "cudnn_graph.hpp"

namespace wajah {
namespace {

bool in_words(Arithmetic format) { return format == Arithmetic::fp16 || format == Arithmetic::bf16; }

cudnn::DataType type_of(Arithmetic format) {
  if (format == Arithmetic::fp16) return cudnn::half;
  return format == Arithmetic::bf16 ? cudnn::bfloat : cudnn::float32;
}

std::int64_t alignment_of(const void* data, std::ptrdiff_t stride, std::int64_t bytes_each) {
  const bool vectors = reinterpret_cast<std::uintptr_t>(data) % 16 == 0 && stride * bytes_each % 16 == 0;
  return vectors ? 16 : bytes_each;
}

CudnnTensor tensor_of(Shape shape, std::ptrdiff_t stride, const void* data, cudnn::DataType type) {
  return {
      {shape.n, shape.c, shape.h, shape.w}, stride, alignment_of(data, stride, type == cudnn::float32 ? 4 : 2), type};
}
CudnnTensor tensor_of(ConstView<float> view) { return tensor_of(view.shape, view.stride, view.data, cudnn::float32); }

// Zeros that one direction needs before and behind its pixels.
struct Zeros {
  Zeros(int in, int out, int window, int stride, Pad pad)
      : before(reach(in, window, stride, pad).before), behind(std::max(0, (out - 1) * stride + window - in - before)) {}
  int before, behind;
};

// One convolution before anything is asked: where its input lies, and what is to be said of it.
struct Job {
  Job(const Conv2dArgs& args, Arithmetic arithmetic)
      : format(weight_format(arithmetic, args.x.shape.c, args.y.shape.c)),
        rows(args.x.shape.h, args.y.shape.h, args.window.h, args.window.stride, args.pad),
        columns(args.x.shape.w, args.y.shape.w, args.window.w, args.window.stride, args.pad),
        padded(rows.before != rows.behind || columns.before != columns.behind),
        brought(padded || in_words(format) || alignment_of(args.x.data, args.x.stride, 4) != 16),
        x(args.x.shape) {
    if (!padded) return;  // few plans take zeros on one side only, so these are written down
    x.h += rows.before + rows.behind;
    x.w += columns.before + columns.behind;
  }

  [[nodiscard]] std::size_t bytes_each() const { return in_words(format) ? 2 : 4; }
  [[nodiscard]] std::size_t bytes_of_x() const { return brought ? align_up(x.size() * bytes_each()) : 0; }

  Arithmetic format;
  Zeros rows, columns;
  bool padded, brought;
  Shape x;  // as cuDNN sees it
};

CudnnConv conv_of(const Conv2dArgs& args, const Job& job, bool whole) {
  CudnnConv conv;
  const cudnn::DataType type = type_of(job.format);
  const Window& window = args.window;
  const Shape w{args.y.shape.c, window.h, window.w, args.x.shape.c};
  conv.x = job.brought ? tensor_of(job.x, job.x.c, nullptr, type) : tensor_of(args.x);
  conv.w = tensor_of(w, w.c, args.weights, type);
  conv.y = whole ? tensor_of(args.y) : tensor_of(args.y.shape, args.y.shape.c, nullptr, type);
  conv.strides = {window.stride, window.stride};
  if (!job.padded) {
    conv.before = {job.rows.before, job.columns.before};
    conv.behind = {job.rows.behind, job.columns.behind};
  }
  conv.whole = whole;
  if (!whole) return conv;
  conv.b = tensor_of({1, 1, 1, args.y.shape.c}, args.y.shape.c, args.biases, cudnn::float32);
  conv.has_add = args.epilogue.add.data != nullptr;
  if (conv.has_add) conv.add = tensor_of(args.epilogue.add);
  conv.scale = conv.has_add ? args.epilogue.scale : 1;
  conv.activation = args.activation.kind;
  return conv;
}

// Sums are the device's own whatever it multiplies in: float32, the same every time, and no inputs with fewer bits than
// its arithmetic has.
bool suits(const std::vector<int>& notes, Arithmetic arithmetic) {
  return std::none_of(notes.begin(), notes.end(), [&](int note) {
    return note == cudnn::fewer_bits_of_inputs || note == cudnn::fewer_bits_of_sums ||
           note == cudnn::not_deterministic || (arithmetic == Arithmetic::fp32 && note == cudnn::on_tensor_cores);
  });
}

// What was found out about one convolution.
struct Plan {
  CudnnConv conv;
  std::optional<CudnnGraph> graph;
  std::optional<CudnnDescriptor> config;  // these two are what `plan` refers to
  std::optional<CudnnDescriptor> plan;    // nothing: cuDNN has none
};

}  // namespace

struct CudnnPlans::State {
  State(const Cuda& on, const CudnnDriver& with) : device(on), driver(with) {
    check("cudnnCreate", driver.create(&handle));
    check("cudnnSetStream", driver.set_stream(handle, device.launch().stream));
  }
  ~State() {
    plans.clear();
    if (handle != nullptr) (void)driver.destroy(handle);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  State(State&&) = delete;
  State& operator=(State&&) = delete;

  void check(const char* call, int status) const {
    if (status == cudnn::success) return;
    fail(ErrorKind::device, "{} on card {}: {}; use --cuda-conv own", call, device.card(), driver.explain(status));
  }

  // Of all that cuDNN offers, its best guess first, the first that suits and whose scratch fits.
  void choose(Plan& entry, Arithmetic format, cudnn::HeuristicsMode mode) {
    CudnnDescriptor guess(driver, cudnn::heuristics);
    guess.set(cudnn::heuristics_graph, entry.graph->graph())
        .set(cudnn::heuristics_mode, cudnn::heuristics_mode_type, int{mode})
        .finish();
    std::vector<CudnnDescriptor> configs;
    std::vector<void*> raw;
    for (std::int64_t i = guess.get(cudnn::heuristics_results, {}); i > 0; --i) {
      raw.push_back(configs.emplace_back(driver, cudnn::engine_config).raw());
    }
    const std::int64_t found = guess.get(cudnn::heuristics_results, raw);
    for (std::size_t i = 0; i < static_cast<std::size_t>(found) && !entry.plan; ++i) {
      entry.plan = plan_of(configs[i], format);
      if (entry.plan) entry.config = std::move(configs[i]);
    }
  }

  std::optional<CudnnDescriptor> plan_of(const CudnnDescriptor& config, Arithmetic format) {
    try {
      const CudnnDescriptor engine(driver, cudnn::engine);
      std::array<void*, 1> raw{engine.raw()};
      (void)config.get(cudnn::config_engine, raw);
      if (!suits(engine.notes(), format)) return std::nullopt;
      CudnnDescriptor made(driver, cudnn::execution_plan);
      made.set(cudnn::plan_handle, cudnn::handle_type, handle).set(cudnn::plan_config, config).finish();
      const auto room = static_cast<std::int64_t>(device.launch().partial_bytes);
      if (made.get(cudnn::plan_workspace) > room) return std::nullopt;
      return made;
    } catch (const CudnnRefusal& refusal) {
      refused = refusal.status;
      return std::nullopt;
    }
  }

  // null if cuDNN has none, which is asked only once.
  const Plan* plan_for(const CudnnConv& conv, Arithmetic format) {
    auto known = std::find_if(plans.begin(), plans.end(), [&](const Plan& p) { return p.conv == conv; });
    if (known == plans.end()) {
      known = plans.insert(plans.end(), Plan{conv, {}, {}, {}});
      make(*known, format);
    }
    return known->plan ? &*known : nullptr;
  }

  void make(Plan& entry, Arithmetic format) {
    try {
      entry.graph.emplace(driver, handle, entry.conv);
      for (const auto mode : {cudnn::decision_tree, cudnn::fallback_engines}) {
        if (!entry.plan) choose(entry, format, mode);
      }
    } catch (const CudnnRefusal& refusal) {
      refused = refusal.status;
    }
  }

  // Captured graphs hold addresses, so what was given out stays. Doubling bounds what that costs.
  std::byte* scratch_of(std::size_t bytes) {
    if (scratch.empty() || scratch.back().size() < bytes) {
      const std::size_t least = scratch.empty() ? 0 : 2 * scratch.back().size();
      scratch.push_back(device.allocate(std::max(bytes, least)));
    }
    return scratch.back().as<>();
  }

  Cuda device;
  const CudnnDriver& driver;
  void* handle = nullptr;
  std::list<Plan> plans;
  std::vector<Buffer> scratch;
  int refused = cudnn::not_supported;
};

CudnnPlans::CudnnPlans(const Cuda& device, const CudnnDriver& driver)
    : state_(std::make_shared<State>(device, driver)) {}

CudnnPlans::Work CudnnPlans::prepare(const Conv2dArgs& args) const {
  Work work;
  if (args.y.shape.size() == 0) return work;
  const Job job(args, state_->device.launch().arithmetic);
  const Plan* plan = nullptr;
  if (args.activation.kind != ActivationKind::prelu) plan = state_->plan_for(conv_of(args, job, true), job.format);
  const bool whole = plan != nullptr;
  if (!whole) plan = state_->plan_for(conv_of(args, job, false), job.format);
  if (plan == nullptr) {
    fail(ErrorKind::device, "cuDNN {} has no plan for a {}x{}/{} convolution of {}x{}x{}x{} to {} channels ({}); {}",
         state_->driver.version(), args.window.h, args.window.w, args.window.stride, args.x.shape.n, args.x.shape.h,
         args.x.shape.w, args.x.shape.c, args.y.shape.c, state_->driver.explain(state_->refused),
         "use --cuda-conv own");
  }
  work.plan = plan;
  if (!job.brought && whole) return work;
  std::byte* const scratch =
      state_->scratch_of(job.bytes_of_x() + (whole ? 0 : align_up(args.y.shape.size() * job.bytes_each())));
  if (job.brought) {
    const int top = job.padded ? job.rows.before : 0, left = job.padded ? job.columns.before : 0;
    work.bring = {args.x, scratch, job.x, top, left, job.format};
  }
  if (!whole) {
    work.finish = {scratch + job.bytes_of_x(), job.format, args.y, args.biases, args.activation, args.epilogue};
  }
  return work;
}

void CudnnPlans::execute(const Work& work, const Conv2dArgs& args) const {
  const Plan& plan = *static_cast<const Plan*>(work.plan);
  std::vector<std::int64_t> ids{cudnn_x, cudnn_w, cudnn_y};
  std::vector<const void*> data{work.bring.y != nullptr ? work.bring.y : args.x.data, args.weights,
                                work.finish.sums != nullptr ? work.finish.sums : args.y.data};
  if (plan.conv.whole) {
    ids.push_back(cudnn_b);
    data.push_back(args.biases);
  }
  if (plan.conv.has_add) {
    ids.push_back(cudnn_add);
    data.push_back(args.epilogue.add.data);
  }
  try {
    CudnnDescriptor pack(state_->driver, cudnn::variant_pack);
    pack.set_all(cudnn::pack_ids, cudnn::int64_type, std::span<const std::int64_t>(ids))
        .set_all(cudnn::pack_pointers, cudnn::pointer_type, std::span<const void* const>(data))
        .set(cudnn::pack_workspace, cudnn::pointer_type, state_->device.launch().partials)
        .finish();
    state_->check("cudnnBackendExecute", state_->driver.execute(state_->handle, plan.plan->raw(), pack.raw()));
  } catch (const CudnnRefusal& refusal) {
    state_->check("cudnnBackendFinalize of pointers", refusal.status);
  }
}

CudnnPlans::Count CudnnPlans::count() const {
  Count count;
  for (const Plan& plan : state_->plans) {
    if (plan.plan) ++(plan.conv.whole ? count.whole : count.sums);
  }
  return count;
}

const CudnnDriver& CudnnPlans::driver() const { return state_->driver; }

}  // namespace wajah
