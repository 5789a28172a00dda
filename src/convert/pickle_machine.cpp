#include "pickle_machine.hpp"

#include <wajah/text.hpp>

#include <algorithm>
#include <utility>

namespace wajah {
namespace {

constexpr std::size_t max_values = 4096;  // det3.npy, the largest, builds fewer than 300
constexpr std::size_t max_marks = 64;     // genuine files nest 6 deep
constexpr std::size_t max_name = 64;

// The opcodes that hostile pickles are made of, so that the refusal can name them.
constexpr std::array<std::pair<std::uint8_t, std::string_view>, 12> known_foreign = {{{'i', "INST"},
                                                                                      {'o', "OBJ"},
                                                                                      {0x93, "STACK_GLOBAL"},
                                                                                      {0x81, "NEWOBJ"},
                                                                                      {0x92, "NEWOBJ_EX"},
                                                                                      {0x82, "EXT1"},
                                                                                      {0x83, "EXT2"},
                                                                                      {0x84, "EXT4"},
                                                                                      {'P', "PERSID"},
                                                                                      {'Q', "BINPERSID"},
                                                                                      {0x95, "FRAME"},
                                                                                      {0x8C, "SHORT_BINUNICODE"}}};

// NumPy 2 calls numpy.core numpy._core; both name the same function.
std::string_view known_global(std::string_view module, std::string_view name) {
  const bool core = module == "numpy.core.multiarray" || module == "numpy._core.multiarray";
  if (core && name == "_reconstruct") return name;
  if (module == "numpy" && (name == "ndarray" || name == "dtype")) return name;
  return {};
}

}  // namespace

void PickleMachine::fail_here(std::string_view problem) const {
  fail(ErrorKind::model, "{}: pickle at byte {}: {}", reader_.source(), opcode_at_, problem);
}

void PickleMachine::refuse(std::uint8_t opcode) const {
  const auto* known = std::ranges::find(known_foreign, opcode, &std::pair<std::uint8_t, std::string_view>::first);
  fail_here(fmt::format("opcode 0x{:02x}{}{} is refused; MTCNN's own files need none of that", opcode,
                        known == known_foreign.end() ? "" : " ", known == known_foreign.end() ? "" : known->second));
}

PickleRef PickleMachine::make(PickleValue value) {
  if (values_.size() == max_values)
    fail_here(fmt::format("more than {} values, expected MTCNN's few hundred", max_values));
  values_.push_back(std::move(value));
  return static_cast<PickleRef>(values_.size() - 1);
}

void PickleMachine::mark() {
  if (marks_.size() == max_marks) fail_here(fmt::format("nests deeper than {}", max_marks));
  marks_.push_back(stack_.size());
}

// A mark is a floor: what was pushed before it belongs to an outer tuple or dictionary.
PickleRef PickleMachine::peek() const {
  const std::size_t floor = marks_.empty() ? 0 : marks_.back();
  if (stack_.size() <= floor) fail_here("takes a value from an empty stack");
  return stack_.back();
}

PickleRef PickleMachine::pop() {
  const PickleRef ref = peek();
  stack_.pop_back();
  return ref;
}

std::vector<PickleRef> PickleMachine::pop_many(std::size_t count) {
  std::vector<PickleRef> refs(count);
  for (std::size_t i = count; i-- > 0;) refs[i] = pop();
  return refs;
}

// How many values lie above the last mark, which is removed; pop_many of that count may follow.
std::size_t PickleMachine::pop_mark() {
  if (marks_.empty()) fail_here("closes a tuple or dictionary that was not begun");
  const std::size_t count = stack_.size() - marks_.back();
  marks_.pop_back();
  return count;
}

PickleValue& PickleMachine::top(PickleKind kind, std::string_view problem) {
  PickleValue& value = values_[peek()];
  if (value.kind != kind) fail_here(problem);
  return value;
}

void PickleMachine::protocol() {
  const int version = reader_.number<std::uint8_t>("pickle protocol");
  if (version != 2) fail_here(fmt::format("protocol {}, expected 2", version));
}

void PickleMachine::global() {
  const std::string_view module = reader_.take_line(max_name, "module name");
  const std::string_view name = reader_.take_line(max_name, "global name");
  const std::string_view known = known_global(module, name);
  if (known.empty()) {
    fail_here(fmt::format("global {} of module {} is refused, expected only numpy's _reconstruct, ndarray and dtype",
                          quote(name), quote(module)));
  }
  push({.kind = PickleKind::global, .text = known});
}

void PickleMachine::put() {
  const auto index = reader_.number<std::uint8_t>("memo index");
  memo_[index] = peek();
}

void PickleMachine::get() {
  const auto index = reader_.number<std::uint8_t>("memo index");
  if (!memo_[index]) fail_here(fmt::format("memo {} was never filled", index));
  stack_.push_back(*memo_[index]);
}

void PickleMachine::tuple(std::size_t count) {
  std::vector<PickleRef> items = pop_many(count);
  push({.kind = PickleKind::tuple, .items = std::move(items)});
}

void PickleMachine::append() {
  const PickleRef item = pop();
  top(PickleKind::list, "appends to something that is no list").items.push_back(item);
}

void PickleMachine::set_items(std::vector<PickleRef> pairs) {
  PickleValue& dictionary = top(PickleKind::dictionary, "sets items of something that is no dictionary");
  if (pairs.size() % 2 != 0) fail_here("sets a key without a value");
  dictionary.items.insert(dictionary.items.end(), pairs.begin(), pairs.end());
}

// Calls nothing: the two calls that the genuine files contain are recognised and become empty values.
void PickleMachine::reduce() {
  const PickleValue arguments = values_[pop()];
  const PickleValue callable = values_[pop()];
  const std::vector<PickleRef>& items = arguments.items;
  const bool three = callable.kind == PickleKind::global && arguments.kind == PickleKind::tuple && items.size() == 3;
  if (three && callable.text == "_reconstruct" && values_[items[0]].kind == PickleKind::global &&
      values_[items[0]].text == "ndarray" && is_text(items[2], "b")) {
    push({.kind = PickleKind::array});
  } else if (three && callable.text == "dtype" && values_[items[0]].kind == PickleKind::text) {
    push({.kind = PickleKind::dtype, .text = values_[items[0]].text});
  } else {
    fail_here("calls something else than numpy's _reconstruct(ndarray, (0,), 'b') or dtype('f4', 0, 1)");
  }
}

void PickleMachine::build() {
  const PickleRef state = pop();
  if (values_[state].kind != PickleKind::tuple) fail_here("sets a state that is no tuple");
  PickleValue& target = values_[peek()];
  const std::size_t expected = target.kind == PickleKind::array ? 5 : 8;
  if (target.kind != PickleKind::array && target.kind != PickleKind::dtype) {
    fail_here("sets the state of something that is neither an array nor a dtype");
  }
  if (!target.items.empty() || values_[state].items.size() != expected) {
    fail_here(fmt::format("a state of {} parts, expected one of {}", values_[state].items.size(), expected));
  }
  target.items = values_[state].items;
}

void PickleMachine::step(std::uint8_t opcode) {
  switch (opcode) {
    case 0x80: return protocol();
    case 'c': return global();
    case 'q': return put();
    case 'h': return get();
    case 'N': return push({});
    case 0x88: return push({.kind = PickleKind::boolean, .integer = 1});
    case 0x89: return push({.kind = PickleKind::boolean, .integer = 0});
    case 'K': return push_integer(reader_.number<std::uint8_t>("integer"));
    case 'M': return push_integer(reader_.number<std::uint16_t>("integer"));
    case 'J': return push_integer(reader_.number<std::int32_t>("integer"));
    case 'U': return push_text(reader_.take_text(reader_.number<std::uint8_t>("string length"), "string"));
    case 'T':
    case 'X': return push_text(reader_.take_text(reader_.number<std::uint32_t>("string length"), "string"));
    case '(': return mark();
    case 't': return tuple(pop_mark());
    case ')': return tuple(0);
    case 0x85: return tuple(1);
    case 0x86: return tuple(2);
    case 0x87: return tuple(3);
    case ']': return push({.kind = PickleKind::list});
    case '}': return push({.kind = PickleKind::dictionary});
    case 'a': return append();
    case 's': return set_items(pop_many(2));
    case 'u': return set_items(pop_many(pop_mark()));
    case 'R': return reduce();
    case 'b': return build();
    default: refuse(opcode);
  }
}

PickleRef PickleMachine::run() {
  for (;;) {
    opcode_at_ = reader_.offset();
    const auto opcode = reader_.number<std::uint8_t>("opcode");
    if (opcode == '.') break;
    step(opcode);
  }
  if (stack_.size() != 1 || !marks_.empty()) fail_here(fmt::format("ends with {} values, expected one", stack_.size()));
  if (reader_.remaining() != 0) fail_here(fmt::format("{} bytes follow the end", reader_.remaining()));
  return stack_[0];
}

}  // namespace wajah
