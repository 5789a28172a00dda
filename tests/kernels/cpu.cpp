#include <wajah/cpu.hpp>
#include <wajah/error.hpp>

#include "check.hpp"

namespace wajah {
namespace {

// Sets WAJAH_ISA for one test.
class WithIsa {
 public:
  explicit WithIsa(const char* value) {
    if (const char* old = std::getenv("WAJAH_ISA")) old_ = old;
    setenv("WAJAH_ISA", value, 1);
  }
  ~WithIsa() {
    if (old_) {
      setenv("WAJAH_ISA", old_->c_str(), 1);
    } else {
      unsetenv("WAJAH_ISA");
    }
  }
  WithIsa(const WithIsa&) = delete;
  WithIsa& operator=(const WithIsa&) = delete;
  WithIsa(WithIsa&&) = delete;
  WithIsa& operator=(WithIsa&&) = delete;

 private:
  std::optional<std::string> old_;
};

TEST_CASE("Isa: names go both ways") {
  for (const Isa isa : every_isa) CHECK(parse_isa(name_of(isa)) == isa);
  CHECK_THROWS_WITH_AS((void)parse_isa("sse9"),
                       "instruction set 'sse9' is unknown, expected scalar, avx2, avx2-vnni, avx512, avx512-vnni or "
                       "avx512-amx",
                       Error);
}

TEST_CASE("Cpu: WAJAH_ISA lowers the instruction set, an argument goes before it") {
  {
    const WithIsa lowered("scalar");
    CHECK(chosen_isa() == Isa::scalar);
    CHECK(Cpu().isa() == Isa::scalar);
    CHECK(Cpu(1, best_isa()).isa() == best_isa());
  }
  const WithIsa unset("");
  CHECK(chosen_isa() == best_isa());
  const WithIsa unknown("fast");
  CHECK_THROWS_WITH_AS(Cpu(), doctest::Contains("'fast' is unknown"), Error);
}

TEST_CASE("Cpu: what it lacks is said") {
  bool lacks = false;
  for (const Isa isa : every_isa) {
    if (has_isa(isa)) continue;
    lacks = true;
    CHECK_THROWS_WITH_AS(Cpu(1, isa), doctest::Contains("it lacks A"), Error);
  }
  if (!lacks) MESSAGE("skipped: this CPU has every instruction set");
}

TEST_CASE("Cpu: threads") {
  CHECK(Cpu(3).threads() == 3);
  CHECK(Cpu(0).threads() >= 1);
  CHECK_THROWS_WITH_AS(Cpu(-1), doctest::Contains("threads: -1, expected 1 to 1024"), Error);
}

}  // namespace
}  // namespace wajah
