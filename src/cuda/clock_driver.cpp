// The ClockDriver of CUDA: a captured graph is a chain of kernels and of the events that mark() records; where two
// kernels follow one another, and at both ends, another event is put in.
#include <wajah/cuda_clock.hpp>

#ifdef WAJAH_HAVE_CUDA
#include <cuda_runtime_api.h>
#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#endif

namespace wajah {

#ifdef WAJAH_HAVE_CUDA

namespace {

// With their data, which CUDA 12 knows by other names.
#if CUDART_VERSION >= 13000
constexpr auto dependents_of = &cudaGraphNodeGetDependentNodes;
constexpr auto add_dependency = &cudaGraphAddDependencies;
constexpr auto remove_dependency = &cudaGraphRemoveDependencies;
#else
constexpr auto dependents_of = &cudaGraphNodeGetDependentNodes_v2;
constexpr auto add_dependency = &cudaGraphAddDependencies_v2;
constexpr auto remove_dependency = &cudaGraphRemoveDependencies_v2;
#endif

struct Recording {
  cudaStream_t stream = nullptr;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  std::vector<cudaEvent_t> events;                           // all of them
  std::vector<std::pair<cudaEvent_t, cudaEvent_t>> between;  // of each launch

  explicit Recording(cudaStream_t on) : stream(on) {}
  ~Recording() {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    if (cudaStreamIsCapturing(stream, &status) == cudaSuccess && status != cudaStreamCaptureStatusNone) {
      (void)cudaStreamEndCapture(stream, &graph);
    }
    if (executable != nullptr) (void)cudaGraphExecDestroy(executable);
    if (graph != nullptr) (void)cudaGraphDestroy(graph);
    for (cudaEvent_t event : events) (void)cudaEventDestroy(event);
  }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  Recording(Recording&&) = delete;
  Recording& operator=(Recording&&) = delete;

  cudaError_t new_event(cudaEvent_t* event) {
    const cudaError_t error = cudaEventCreate(event);
    if (error == cudaSuccess) events.push_back(*event);
    return error;
  }
};

Recording& of(void* recording) { return *static_cast<Recording*>(recording); }

struct Node {
  cudaGraphNode_t node = nullptr;
  cudaGraphNodeType type = cudaGraphNodeTypeEmpty;
  cudaGraphEdgeData to_next{};
};

// One stream's work: every node has one successor, but the last.
cudaError_t chain_of(cudaGraph_t graph, std::vector<Node>* chain) {
  std::size_t count = 0;
  if (const cudaError_t error = cudaGraphGetRootNodes(graph, nullptr, &count); error != cudaSuccess) return error;
  if (count == 0) return cudaSuccess;
  if (count > 1) return cudaErrorNotSupported;
  Node node;
  if (const cudaError_t error = cudaGraphGetRootNodes(graph, &node.node, &count); error != cudaSuccess) return error;
  while (true) {
    if (const cudaError_t error = cudaGraphNodeGetType(node.node, &node.type); error != cudaSuccess) return error;
    Node next;
    std::size_t room = 2;
    cudaGraphNode_t successors[2] = {};
    cudaGraphEdgeData data[2] = {};
    if (const cudaError_t error = dependents_of(node.node, successors, data, &room); error != cudaSuccess) return error;
    if (room > 1) return cudaErrorNotSupported;
    node.to_next = data[0];
    chain->push_back(node);
    if (room == 0) return cudaSuccess;
    next.node = successors[0];
    node = next;
  }
}

// An event between two nodes of the chain, null: before the first or after the last.
cudaError_t put_event(Recording& in, const Node* before, const Node* after, cudaEvent_t* event) {
  if (const cudaError_t error = in.new_event(event); error != cudaSuccess) return error;
  if (before != nullptr && after != nullptr) {
    const cudaError_t error = remove_dependency(in.graph, &before->node, &after->node, &before->to_next, 1);
    if (error != cudaSuccess) return error;
  }
  cudaGraphNode_t node = nullptr;
  const cudaError_t error = cudaGraphAddEventRecordNode(&node, in.graph, before == nullptr ? nullptr : &before->node,
                                                        before != nullptr, *event);
  if (error != cudaSuccess || after == nullptr) return error;
  return add_dependency(in.graph, &node, &after->node, nullptr, 1);
}

// The event that stands there already, or a new one.
cudaError_t event_between(Recording& in, const Node* before, const Node* after, cudaEvent_t* event) {
  for (const Node* node : {before, after}) {
    if (node != nullptr && node->type == cudaGraphNodeTypeEventRecord) {
      return cudaGraphEventRecordNodeGetEvent(node->node, event);
    }
  }
  return put_event(in, before, after, event);
}

cudaError_t facts_of(cudaGraphNode_t node, LaunchFacts* facts) {
  cudaKernelNodeParams params{};
  if (const cudaError_t error = cudaGraphKernelNodeGetParams(node, &params); error != cudaSuccess) return error;
  facts->blocks = std::size_t{params.gridDim.x} * params.gridDim.y * params.gridDim.z;
  const char* mangled = nullptr;
  if (const cudaError_t error = cudaFuncGetName(&mangled, params.func); error != cudaSuccess) return error;
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(abi::__cxa_demangle(mangled, nullptr, nullptr, &status),
                                                         &std::free);
  facts->kernel = status == 0 ? plain_kernel_name(name.get()) : mangled;
  return cudaSuccess;
}

cudaError_t put_events(Recording& in, std::vector<LaunchFacts>* launches) {
  std::vector<Node> chain;
  if (const cudaError_t error = chain_of(in.graph, &chain); error != cudaSuccess) return error;
  std::size_t marks = 0;
  cudaEvent_t last = nullptr;  // that was put behind a kernel
  for (std::size_t i = 0; i < chain.size(); ++i) {
    if (chain[i].type == cudaGraphNodeTypeEventRecord) {
      ++marks;
      last = nullptr;
      continue;
    }
    if (chain[i].type != cudaGraphNodeTypeKernel) return cudaErrorNotSupported;
    const Node *before = i == 0 ? nullptr : &chain[i - 1], *after = i + 1 == chain.size() ? nullptr : &chain[i + 1];
    cudaEvent_t first = last, end = nullptr;
    if (first == nullptr) {
      // What stands before is an event, or nothing.
      if (const cudaError_t error = event_between(in, before, i == 0 ? &chain[i] : nullptr, &first);
          error != cudaSuccess) {
        return error;
      }
    }
    if (const cudaError_t error = event_between(in, &chain[i], after, &end); error != cudaSuccess) return error;
    last = end;
    LaunchFacts facts;
    if (const cudaError_t error = facts_of(chain[i].node, &facts); error != cudaSuccess) return error;
    facts.operation = marks;
    launches->push_back(std::move(facts));
    in.between.emplace_back(first, end);
  }
  return cudaSuccess;
}

int end(void* recording, std::vector<LaunchFacts>* launches) {
  Recording& in = of(recording);
  if (const cudaError_t error = cudaStreamEndCapture(in.stream, &in.graph); error != cudaSuccess) return error;
  if (const cudaError_t error = put_events(in, launches); error != cudaSuccess) return error;
  return cudaGraphInstantiate(&in.executable, in.graph, 0);
}

int mark(void* recording) {
  Recording& in = of(recording);
  cudaEvent_t event = nullptr;
  if (const cudaError_t error = in.new_event(&event); error != cudaSuccess) return error;
  return cudaEventRecordWithFlags(event, in.stream, cudaEventRecordExternal);
}

int read(void* recording, std::vector<double>* milliseconds) {
  for (const auto& [first, last] : of(recording).between) {
    float ms = 0;
    if (const cudaError_t error = cudaEventElapsedTime(&ms, first, last); error != cudaSuccess) return error;
    milliseconds->push_back(static_cast<double>(ms));
  }
  return cudaSuccess;
}

int rates(int card, CardRates* rates) {
  int clock = 0, memory = 0, bits = 0;  // kHz, kHz
  for (const auto& [value, attribute] : {std::pair{&clock, cudaDevAttrClockRate},
                                         {&memory, cudaDevAttrMemoryClockRate},
                                         {&bits, cudaDevAttrGlobalMemoryBusWidth}}) {
    if (const cudaError_t error = cudaDeviceGetAttribute(value, attribute, card); error != cudaSuccess) return error;
  }
  *rates = {1e-6 * clock, 2e-6 * memory * bits / 8};  // both edges of the clock
  return cudaSuccess;
}

}  // namespace

const ClockDriver& cuda_clock() {
  static const ClockDriver driver{
      .begin = [](void* stream, void** recording) -> int {
        auto made = std::make_unique<Recording>(static_cast<cudaStream_t>(stream));
        const cudaError_t error = cudaStreamBeginCapture(made->stream, cudaStreamCaptureModeThreadLocal);
        if (error == cudaSuccess) *recording = made.release();
        return error;
      },
      .mark = &mark,
      .end = &end,
      .play = [](void* recording) -> int { return cudaGraphLaunch(of(recording).executable, of(recording).stream); },
      .read = &read,
      .drop = [](void* recording) -> int { return delete &of(recording), cudaSuccess; },
      .rates = &rates};
  return driver;
}

#else

// Without a card nothing of it is ever reached.
const ClockDriver& cuda_clock() {
  static const ClockDriver driver{};
  return driver;
}

#endif

}  // namespace wajah
