#include "cli/lfw_pairs.hpp"

#include <wajah/error.hpp>
#include <wajah/file.hpp>
#include <wajah/text.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>
#include <string_view>
#include <unordered_map>

namespace wajah::cli {
namespace {

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::optional<int> number_of(std::string_view word) {
  int number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc{} || end != word.data() + word.size() || number < 0 || number > 9999) return std::nullopt;
  return number;
}

class Reader {
 public:
  explicit Reader(std::string source) : source_(std::move(source)) {}

  void read(const std::string& line) {
    ++line_;
    const std::vector<std::string> words = words_of(line);
    if (words.empty() || words[0].starts_with('#')) return;
    const bool counts = std::ranges::all_of(words, [](const std::string& word) { return number_of(word).has_value(); });
    if (counts && list_.pairs.empty() && words.size() <= 2) return;
    if (words.size() == 3) return add(words[0], words[1], words[0], words[2], true);
    if (words.size() == 4) return add(words[0], words[1], words[2], words[3], false);
    refuse(line);
  }

  [[nodiscard]] PairList take() && { return std::move(list_); }

 private:
  [[noreturn]] void refuse(const std::string& line) const {
    fail(ErrorKind::input, "{}: line {} is {}, expected 'name i j' or 'name i other j'", source_, line_, quote(line));
  }

  void add(const std::string& a, const std::string& i, const std::string& b, const std::string& j, bool same) {
    list_.pairs.push_back({photo(a, i), photo(b, j), same});
  }

  std::size_t photo(const std::string& name, const std::string& number) {
    const auto value = number_of(number);
    // A name is a folder below --root and must stay there.
    if (!value || name.find('/') != std::string::npos || name.starts_with('.')) refuse(name + " " + number);
    const std::string path = fmt::format("{}/{}_{:04}.jpg", name, name, *value);
    const auto [found, added] = index_.try_emplace(path, list_.photos.size());
    if (added) list_.photos.push_back(path);
    return found->second;
  }

  std::string source_;
  std::size_t line_ = 0;
  PairList list_;
  std::unordered_map<std::string, std::size_t> index_;
};

}  // namespace

PairList read_pairs(const std::filesystem::path& file) {
  const MappedFile mapped(file, ErrorKind::input);
  std::istringstream lines(std::string(reinterpret_cast<const char*>(mapped.bytes().data()), mapped.bytes().size()));
  Reader reader(mapped.name());
  for (std::string line; std::getline(lines, line);) reader.read(line);
  PairList list = std::move(reader).take();
  if (list.pairs.empty()) fail(ErrorKind::input, "{}: no pairs in it", mapped.name());
  return list;
}

}  // namespace wajah::cli
