// The part of Python's pickle machine (protocol 2, Lib/pickletools.py) that builds dictionaries of NumPy arrays.
#pragma once

#include <wajah/convert/byte_reader.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace wajah {

// Values refer to each other by index: a pickle may build cycles, and nothing may recurse or be freed twice for it.
using PickleRef = std::uint32_t;

enum class PickleKind : std::uint8_t { none, boolean, integer, text, tuple, list, dictionary, global, dtype, array };

struct PickleValue {
  PickleKind kind = PickleKind::none;
  std::int64_t integer = 0;        // integer, boolean
  std::string_view text{};         // text; global: its name; dtype: 'f4'. Points into the file.
  std::vector<PickleRef> items{};  // tuple, list; dictionary: key, value, key, value; dtype, array: the state of BUILD
};

class PickleMachine {
 public:
  explicit PickleMachine(ByteReader& reader) : reader_(reader) {}

  // Runs to STOP and returns the one value it leaves. Throws Error (model) on what is not in the closed lists.
  [[nodiscard]] PickleRef run();

  [[nodiscard]] const PickleValue& operator[](PickleRef ref) const { return values_[ref]; }
  [[nodiscard]] bool is_text(PickleRef ref, std::string_view text) const {
    return values_[ref].kind == PickleKind::text && values_[ref].text == text;
  }
  [[nodiscard]] bool is_integer(PickleRef ref, std::int64_t integer) const {
    return values_[ref].kind == PickleKind::integer && values_[ref].integer == integer;
  }

 private:
  [[noreturn]] void fail_here(std::string_view problem) const;
  [[noreturn]] void refuse(std::uint8_t opcode) const;

  void step(std::uint8_t opcode);
  void protocol();
  void global();
  void put();
  void get();
  void tuple(std::size_t count);
  void append();
  void set_items(std::vector<PickleRef> pairs);
  void reduce();
  void build();

  PickleRef make(PickleValue value);
  void push(PickleValue value) { stack_.push_back(make(std::move(value))); }
  void push_text(std::string_view text) { push({.kind = PickleKind::text, .text = text}); }
  void push_integer(std::int64_t integer) { push({.kind = PickleKind::integer, .integer = integer}); }
  void mark();
  [[nodiscard]] PickleRef peek() const;
  PickleRef pop();
  std::vector<PickleRef> pop_many(std::size_t count);
  std::size_t pop_mark();
  PickleValue& top(PickleKind kind, std::string_view problem);

  ByteReader& reader_;
  std::size_t opcode_at_ = 0;
  std::vector<PickleValue> values_;
  std::vector<PickleRef> stack_;
  std::vector<std::size_t> marks_;
  std::array<std::optional<PickleRef>, 256> memo_;
};

}  // namespace wajah
