#include <wajah/cpu.hpp>
#include <wajah/error.hpp>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <iterator>

#include "check.hpp"

namespace wajah {
namespace {

// From now on this process is refused when it asks for tiles, as under an old or a strict system.
bool refuse_tiles() {
  constexpr unsigned request_permission = 0x1023;
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_arch_prctl, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, request_permission, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{static_cast<unsigned short>(std::size(program)), program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}
constexpr const char* refused_mark = "WAJAH_TEST_TILES_REFUSED";

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
    CHECK_THROWS_WITH_AS(Cpu(1, isa), doctest::Contains("it lacks "), Error);
  }
  if (!lacks) MESSAGE("skipped: this CPU has every instruction set");
}

// The question is asked once a process, so a process of its own asks it: this program again, for this case only.
TEST_CASE("Cpu: where the system refuses tiles the dot product is used, and the reason is said") {
  if (std::getenv(refused_mark) != nullptr) {
    CHECK(!has_isa(Isa::avx512_amx));
    CHECK(best_isa() < Isa::avx512_amx);
    CHECK_THROWS_WITH_AS(Cpu(1, Isa::avx512_amx), doctest::Contains("the system's permission to use tiles"), Error);
    return;
  }
  const pid_t child = fork();
  if (child == 0) {
    constexpr int unsupported = 77;
    setenv(refused_mark, "1", 1);
    if (!refuse_tiles()) _exit(unsupported);
    execl("/proc/self/exe", "wajah_tests", "-m", "-tc=Cpu: where the system refuses tiles*",
          static_cast<char*>(nullptr));
    _exit(unsupported);
  }
  REQUIRE(child > 0);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) {
    MESSAGE("skipped: this system takes no filter of system calls");
    return;
  }
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("Cpu: threads") {
  CHECK(Cpu(3).threads() == 3);
  CHECK(Cpu(0).threads() >= 1);
  CHECK_THROWS_WITH_AS(Cpu(-1), doctest::Contains("threads: -1, expected 1 to 1024"), Error);
}

}  // namespace
}  // namespace wajah
