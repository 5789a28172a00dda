#include "fake_cudnn.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "../../src/cuda/cudnn_numbers.hpp"
#include "../../src/search/half.hpp"
#include "launcher.hpp"

namespace wajah {
namespace {

using namespace cudnn;

struct Attribute {
  int type = 0;
  std::int64_t count = 0;
  std::vector<std::byte> bytes;
};

struct Descriptor {
  Kind kind{};
  bool finished = false;
  int engine = -1;
  std::map<int, Attribute> attributes;

  [[nodiscard]] bool has(Name name) const { return attributes.contains(name); }
  template <class T>
  [[nodiscard]] std::vector<T> all(Name name) const {
    const Attribute& attribute = attributes.at(name);
    std::vector<T> values(static_cast<std::size_t>(attribute.count));
    std::memcpy(values.data(), attribute.bytes.data(), attribute.bytes.size());
    return values;
  }
  template <class T>
  [[nodiscard]] T one(Name name) const {
    return all<T>(name).at(0);
  }
  [[nodiscard]] const Descriptor& of(Name name) const { return *one<const Descriptor*>(name); }
};

struct Handle {
  void* stream = nullptr;
};

FakeCudnn& state() { return fake_cudnn_state(); }

std::size_t bytes_of_type(int type) {
  switch (type) {
    case handle_type:
    case pointer_type:
    case int64_type:
    case double_type:
    case descriptor_type: return 8;
    case boolean_type: return 1;
    default: return 4;
  }
}

struct Wanted {
  Name name;
  Type type;
  std::int64_t least, most;
};

// What each kind must have before it is finished; nothing else may be set but `optional`.
const std::map<Kind, std::vector<Wanted>>& required() {
  static const std::map<Kind, std::vector<Wanted>> all{
      {tensor,
       {{tensor_id, int64_type, 1, 1},
        {tensor_type, data_type, 1, 1},
        {tensor_alignment, int64_type, 1, 1},
        {tensor_dimensions, int64_type, 4, 4},
        {tensor_strides, int64_type, 4, 4},
        {tensor_virtual, boolean_type, 1, 1}}},
      {convolution,
       {{convolution_precision, data_type, 1, 1},
        {convolution_mode, convolution_mode_type, 1, 1},
        {convolution_dimensions, int64_type, 1, 1},
        {convolution_dilations, int64_type, 2, 2},
        {convolution_strides, int64_type, 2, 2},
        {convolution_pre_paddings, int64_type, 2, 2},
        {convolution_post_paddings, int64_type, 2, 2}}},
      {convolution_forward,
       {{forward_alpha, float_type, 1, 1},
        {forward_beta, float_type, 1, 1},
        {forward_convolution, descriptor_type, 1, 1},
        {forward_w, descriptor_type, 1, 1},
        {forward_x, descriptor_type, 1, 1},
        {forward_y, descriptor_type, 1, 1}}},
      {pointwise, {{pointwise_mode, pointwise_mode_type, 1, 1}, {pointwise_precision, data_type, 1, 1}}},
      {pointwise_operation,
       {{operation_pointwise, descriptor_type, 1, 1},
        {operation_x, descriptor_type, 1, 1},
        {operation_y, descriptor_type, 1, 1}}},
      {operation_graph, {{graph_handle, handle_type, 1, 1}, {graph_operations, descriptor_type, 1, 9}}},
      {heuristics, {{heuristics_graph, descriptor_type, 1, 1}, {heuristics_mode, heuristics_mode_type, 1, 1}}},
      {execution_plan, {{plan_handle, handle_type, 1, 1}, {plan_config, descriptor_type, 1, 1}}},
      {variant_pack,
       {{pack_ids, int64_type, 3, 5}, {pack_pointers, pointer_type, 3, 5}, {pack_workspace, pointer_type, 1, 1}}}};
  return all;
}
const std::map<Kind, std::vector<Wanted>>& optional() {
  static const std::map<Kind, std::vector<Wanted>> all{{pointwise, {{pointwise_upper_clip, double_type, 1, 1}}},
                                                       {pointwise_operation,
                                                        {{operation_b, descriptor_type, 1, 1},
                                                         {operation_alpha1, float_type, 1, 1},
                                                         {operation_alpha2, float_type, 1, 1}}}};
  return all;
}

const Wanted* wanted(Kind kind, int name) {
  for (const auto* table : {&required(), &optional()}) {
    const auto entry = table->find(kind);
    if (entry == table->end()) continue;
    for (const Wanted& w : entry->second) {
      if (w.name == name) return &w;
    }
  }
  return nullptr;
}

int set(void* descriptor, int name, int type, std::int64_t count, const void* values) {
  auto& d = *static_cast<Descriptor*>(descriptor);
  const Wanted* const w = wanted(d.kind, name);
  if (d.finished || w == nullptr || w->type != type || count < w->least || count > w->most) return bad_param;
  Attribute& attribute = d.attributes[name];
  attribute = {type, count, std::vector<std::byte>(static_cast<std::size_t>(count) * bytes_of_type(type))};
  std::memcpy(attribute.bytes.data(), values, attribute.bytes.size());
  if (type == descriptor_type) {
    for (const auto* other : d.all<const Descriptor*>(static_cast<Name>(name))) {
      if (!other->finished) return bad_param;
    }
  }
  return success;
}

// How many outputs a window has over `in` pixels and zeros, as cuDNN counts them.
std::int64_t outputs(const Descriptor& conv, std::size_t axis, std::int64_t in, std::int64_t window) {
  const auto pad =
      conv.all<std::int64_t>(convolution_pre_paddings)[axis] + conv.all<std::int64_t>(convolution_post_paddings)[axis];
  return (in + pad - window) / conv.all<std::int64_t>(convolution_strides)[axis] + 1;
}

int finish_convolution(const Descriptor& d) {
  const Descriptor& conv = d.of(forward_convolution);
  const auto x = d.of(forward_x).all<std::int64_t>(tensor_dimensions);
  const auto w = d.of(forward_w).all<std::int64_t>(tensor_dimensions);
  const auto y = d.of(forward_y).all<std::int64_t>(tensor_dimensions);
  const bool fits = x[0] == y[0] && x[1] == w[1] && y[1] == w[0] && y[2] == outputs(conv, 0, x[2], w[2]) &&
                    y[3] == outputs(conv, 1, x[3], w[3]);
  return fits && d.of(forward_x).one<int>(tensor_type) == d.of(forward_w).one<int>(tensor_type) ? success : bad_param;
}

int finish_tensor(const Descriptor& d) {
  const std::int64_t bytes = d.one<int>(tensor_type) == float32 ? 4 : 2;
  const auto alignment = d.one<std::int64_t>(tensor_alignment);
  // Bytes of vectors that cross into another pixel would be nobody's.
  const bool vectors = d.all<std::int64_t>(tensor_strides)[3] * bytes % 16 == 0 || alignment < 16;
  return alignment >= bytes && (vectors || d.one<char>(tensor_virtual)) ? success : bad_param;
}

int finish_graph(const Descriptor& d) {
  const auto operations = d.all<const Descriptor*>(graph_operations);
  if (state().refuses_all || (state().refuses_whole && operations.size() > 1)) return not_supported;
  return operations.at(0)->kind == convolution_forward ? success : not_supported;
}

int finish(void* descriptor) {
  auto& d = *static_cast<Descriptor*>(descriptor);
  const auto entry = required().find(d.kind);
  if (d.finished || entry == required().end()) return bad_param;
  for (const Wanted& w : entry->second) {
    if (!d.has(w.name)) return bad_param;
  }
  int status = success;
  if (d.kind == tensor) status = finish_tensor(d);
  if (d.kind == convolution_forward) status = finish_convolution(d);
  if (d.kind == operation_graph) status = finish_graph(d);
  if (d.kind == execution_plan) ++state().planned;
  d.finished = status == success;
  return status;
}

constexpr int engines = plain_engine + 1;

std::vector<int> notes_of(int engine) {
  switch (engine) {
    case rounds_inputs: return {on_tensor_cores, fewer_bits_of_inputs};
    case rounds_sums: return {fewer_bits_of_sums};
    case not_repeatable: return {not_deterministic};
    case tensor_cores: return {on_tensor_cores};
    default: return {};
  }
}

int get_results(const Descriptor& d, std::int64_t room, std::int64_t* count, void* values) {
  // The decision tree knows engines, except of graphs with a residual: those are for the fallback.
  const auto operations = d.of(heuristics_graph).all<const Descriptor*>(graph_operations);
  const bool known = operations.size() < 4 || d.one<int>(heuristics_mode) == fallback_engines;
  *count = known ? engines : 0;
  for (std::int64_t i = 0; i < std::min(room, *count); ++i) {
    auto& config = *static_cast<Descriptor**>(values)[i];
    config.engine = static_cast<int>(i);
    config.attributes[heuristics_graph] = d.attributes.at(heuristics_graph);
    config.finished = true;
  }
  return success;
}

int get(const void* descriptor, int name, int type, std::int64_t room, std::int64_t* count, void* values) {
  const auto& d = *static_cast<const Descriptor*>(descriptor);
  if (!d.finished && d.kind != engine) return bad_param;
  if (name == heuristics_results && type == descriptor_type) return get_results(d, room, count, values);
  *count = 1;
  if (name == config_engine && type == descriptor_type && room == 1) {
    static_cast<Descriptor**>(values)[0]->engine = d.engine;
    return success;
  }
  if (name == engine_notes && type == note_type) {
    const std::vector<int> notes = notes_of(d.engine);
    *count = static_cast<std::int64_t>(notes.size());
    std::copy(notes.begin(), notes.end(), static_cast<int*>(values));
    return success;
  }
  if (name == plan_workspace && type == int64_type && room == 1) {
    *static_cast<std::int64_t*>(values) = d.of(plan_config).engine == wants_too_much ? std::int64_t{1} << 40 : 4096;
    return success;
  }
  return bad_param;
}

// One execution: the tensors of a graph by number, those without memory in a map of their own.
class Execution {
 public:
  Execution(const Descriptor& plan, const Descriptor& pack) : plan_(plan.of(plan_config)) {
    const auto ids = pack.all<std::int64_t>(pack_ids);
    const auto pointers = pack.all<std::byte*>(pack_pointers);
    for (std::size_t i = 0; i < ids.size(); ++i) memory_[ids[i]] = pointers.at(i);
  }

  [[nodiscard]] int check() const {
    std::set<std::int64_t> used;
    for (const Descriptor* operation : operations()) {
      for (const Name name : {forward_x, forward_w, forward_y, operation_x, operation_b, operation_y}) {
        if (!operation->has(name)) continue;
        const Descriptor& t = operation->of(name);
        if (t.one<char>(tensor_virtual) != 0) continue;
        const auto id = t.one<std::int64_t>(tensor_id);
        used.insert(id);
        const auto found = memory_.find(id);
        if (found == memory_.end()) return bad_param;
        const auto address = std::bit_cast<std::uintptr_t>(found->second);
        if (address % static_cast<std::uintptr_t>(t.one<std::int64_t>(tensor_alignment)) != 0) return bad_param;
      }
    }
    const bool usable = plan_.engine == tensor_cores || plan_.engine == plain_engine;
    return used.size() == memory_.size() && usable ? success : bad_param;
  }

  void run() {
    state().last_engine = plan_.engine;
    ++state().executed;
    for (const Descriptor* operation : operations()) {
      if (operation->kind == convolution_forward) {
        convolve(*operation);
      } else {
        point(*operation);
      }
    }
  }

 private:
  using At = std::array<std::int64_t, 4>;

  [[nodiscard]] std::vector<const Descriptor*> operations() const {
    return plan_.of(heuristics_graph).all<const Descriptor*>(graph_operations);
  }

  struct Tensor {
    std::vector<std::int64_t> size, strides;
    int type = 0;
    std::byte* data = nullptr;

    // A dimension of 1 is spread over all places.
    [[nodiscard]] std::int64_t place(const At& at) const {
      std::int64_t sum = 0;
      for (std::size_t i = 0; i < 4; ++i) sum += size[i] == 1 ? 0 : at[i] * strides[i];
      return sum;
    }
    [[nodiscard]] float at(const At& place_of) const {
      const std::int64_t i = place(place_of);
      if (type == float32) return reinterpret_cast<const float*>(data)[i];
      const std::uint16_t word = reinterpret_cast<const std::uint16_t*>(data)[i];
      return type == half ? static_cast<float>(std::bit_cast<_Float16>(word))
                          : std::bit_cast<float>(std::uint32_t{word} << 16U);
    }
    void put(const At& place_of, float value) const {
      const std::int64_t i = place(place_of);
      if (type == float32) {
        reinterpret_cast<float*>(data)[i] = value;
      } else {
        const auto bits = std::bit_cast<std::uint32_t>(value);
        reinterpret_cast<std::uint16_t*>(data)[i] =
            type == half ? to_half(value) : static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16U & 1U)) >> 16U);
      }
    }
  };

  Tensor tensor_at(const Descriptor& t) {
    Tensor result{t.all<std::int64_t>(tensor_dimensions), t.all<std::int64_t>(tensor_strides), t.one<int>(tensor_type)};
    const auto id = t.one<std::int64_t>(tensor_id);
    if (t.one<char>(tensor_virtual) != 0) {
      std::vector<std::byte>& own = between_[id];
      if (own.empty()) own.resize(static_cast<std::size_t>(result.size[0] * result.strides[0]) * sizeof(float));
      result.data = own.data();
    } else {
      result.data = memory_.at(id);
    }
    return result;
  }

  static void for_each(const Tensor& t, const auto& visit) {
    for (std::int64_t n = 0; n < t.size[0]; ++n) {
      for (std::int64_t h = 0; h < t.size[2]; ++h) {
        for (std::int64_t w = 0; w < t.size[3]; ++w) {
          for (std::int64_t c = 0; c < t.size[1]; ++c) visit(At{n, c, h, w});
        }
      }
    }
  }

  void convolve(const Descriptor& operation) {
    const Descriptor& how = operation.of(forward_convolution);
    const auto strides = how.all<std::int64_t>(convolution_strides);
    const auto before = how.all<std::int64_t>(convolution_pre_paddings);
    const Tensor x = tensor_at(operation.of(forward_x)), w = tensor_at(operation.of(forward_w)),
                 y = tensor_at(operation.of(forward_y));
    const bool flipped = how.one<int>(convolution_mode) != cross_correlation;
    for_each(y, [&](const At& at) {
      double sum = 0;
      for (std::int64_t v = 0; v < w.size[2]; ++v) {
        for (std::int64_t u = 0; u < w.size[3]; ++u) {
          const std::int64_t row = at[2] * strides[0] - before[0] + v, column = at[3] * strides[1] - before[1] + u;
          if (row < 0 || row >= x.size[2] || column < 0 || column >= x.size[3]) continue;
          const std::int64_t tap_v = flipped ? w.size[2] - 1 - v : v, tap_u = flipped ? w.size[3] - 1 - u : u;
          for (std::int64_t c = 0; c < x.size[1]; ++c) {
            sum += double{x.at({at[0], c, row, column})} * double{w.at({at[1], c, tap_v, tap_u})};
          }
        }
      }
      y.put(at, operation.one<float>(forward_alpha) * static_cast<float>(sum));
    });
  }

  void point(const Descriptor& operation) {
    const Descriptor& how = operation.of(operation_pointwise);
    const Tensor x = tensor_at(operation.of(operation_x)), y = tensor_at(operation.of(operation_y));
    if (how.one<int>(pointwise_mode) == add) {
      const Tensor b = tensor_at(operation.of(operation_b));
      const float first = operation.one<float>(operation_alpha1), second = operation.one<float>(operation_alpha2);
      return for_each(y, [&](const At& at) { y.put(at, first * x.at(at) + second * b.at(at)); });
    }
    const auto most = how.has(pointwise_upper_clip) ? how.one<double>(pointwise_upper_clip) : double{INFINITY};
    for_each(y, [&](const At& at) { y.put(at, std::clamp(x.at(at), 0.0F, static_cast<float>(most))); });
  }

  const Descriptor& plan_;
  std::map<std::int64_t, std::byte*> memory_;
  std::map<std::int64_t, std::vector<std::byte>> between_;
};

int execute(void* handle, void* plan, void* pack) {
  auto work = std::make_shared<Execution>(*static_cast<Descriptor*>(plan), *static_cast<Descriptor*>(pack));
  if (const int status = work->check(); status != success) return status;
  auto& stream = *static_cast<shim::Stream*>(static_cast<Handle*>(handle)->stream);
  if (stream.recording) {
    stream.recorded.emplace_back([work] { work->run(); });
  } else {
    work->run();
  }
  return success;
}

int make(int kind, void** descriptor) {
  ++state().alive;
  *descriptor = std::make_unique<Descriptor>(Descriptor{static_cast<Kind>(kind), false, -1, {}}).release();
  return success;
}

}  // namespace

FakeCudnn& fake_cudnn_state() {
  static FakeCudnn state;
  return state;
}

const CudnnDriver& fake_cudnn() {
  static const CudnnDriver driver{
      .create = [](void** handle) -> int {
        return ++state().alive, *handle = std::make_unique<Handle>().release(), success;
      },
      .destroy = [](void* handle) -> int { return --state().alive, delete static_cast<Handle*>(handle), success; },
      .set_stream = [](void* handle, void* stream) -> int {
        return static_cast<Handle*>(handle)->stream = stream, success;
      },
      .make = &make,
      .end = [](void* d) -> int { return --state().alive, delete static_cast<Descriptor*>(d), success; },
      .set = &set,
      .get = &get,
      .finish = &finish,
      .execute = &execute,
      .explain = [](int status) { return status == not_supported ? "not supported" : "wrong parameter"; },
      .version = []() -> std::size_t { return 90000; }};
  return driver;
}

}  // namespace wajah
