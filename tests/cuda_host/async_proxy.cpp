#include "async_proxy.hpp"

#include <fmt/format.h>

#include "executor.hpp"
#include "host_tensor_map.hpp"

namespace wajah::shim {
namespace {

Executor& executor() { return Executor::current(); }

constexpr std::int64_t most_bytes_expected = (1 << 20) - 1;  // tx-count's range

}  // namespace

void AsyncProxy::clear() {
  barriers_.clear();
  barriers_.reserve(Clock::barriers);
  arrivals_.clear();
  reads_.clear();
  finished_.assign(Clock::warps, {});
}

void AsyncProxy::make_barrier(char* at, const SharedMemory::Extent& in, unsigned arrivals) {
  executor().require_waited("makes a barrier");
  const Visitor visitor = executor().thread().visitor();
  const unsigned warp = executor().thread().warp();
  if (shared_.address(at) % 8 != 0) executor().stop("a barrier at an address that is not divisible by 8");
  if (const Fault fault = shared_.write(at, 8, in, visitor); fault != Fault::none) {
    executor().stop(shared_.explain(fault, at, 8, in, visitor));
  }
  for (const Barrier& other : barriers_) {
    if (other.at == at) executor().stop("a barrier is made where there is one");
  }
  if (barriers_.size() == Clock::barriers) executor().stop("more barriers than the host build can watch");
  if (arrivals == 0) executor().stop("a barrier for which nobody arrives");
  barriers_.push_back({at, arrivals, arrivals, 0, 0, warp, shared_.clock(warp).heard[warp], false, {}, {}});
}

void AsyncProxy::fence_barriers() {
  for (Barrier& barrier : barriers_) barrier.fenced |= barrier.maker == executor().thread().warp();
}

AsyncProxy::Barrier& AsyncProxy::barrier_at(const char* at) {
  const unsigned warp = executor().thread().warp();
  for (Barrier& barrier : barriers_) {
    if (barrier.at != at) continue;
    if (warp != barrier.maker && shared_.clock(warp).heard[barrier.maker] < barrier.maker_step) {
      executor().stop("use of a barrier that another warp makes, with nothing in between that orders them");
    }
    return barrier;
  }
  executor().stop("use of a barrier that nobody has made");
}

void AsyncProxy::arrive(const char* at, unsigned bytes) {
  executor().require_waited("arrives at a barrier");
  Barrier& barrier = barrier_at(at);
  if (barrier.missing == 0) {
    executor().stop(fmt::format("{}: more arrive than the {} it was made for", describe(&barrier), barrier.arrivals));
  }
  const unsigned warp = executor().thread().warp();
  Clock& mine = shared_.clock(warp);
  barrier.gathered.join(mine);
  mine.step(warp);  // what this warp does from now on, those who wait there know nothing of
  barrier.bytes += bytes;
  if (barrier.bytes > most_bytes_expected) executor().stop("a barrier expects more bytes than it can count");
  --barrier.missing;
  end_phase_if_complete(barrier);
}

void AsyncProxy::end_phase_if_complete(Barrier& barrier) {
  if (barrier.missing != 0 || barrier.bytes != 0) return;
  ++barrier.phase;
  barrier.complete.join(barrier.gathered);
  barrier.complete.heard[Clock::warps + index_of(barrier)] = barrier.phase;
  barrier.gathered = {};
  barrier.missing = barrier.arrivals;
  executor().wake(&barrier);
}

void AsyncProxy::wait(Site site, const char* at, unsigned parity) {
  executor().require_waited("waits for a barrier");
  Barrier& barrier = barrier_at(at);
  while (barrier.phase % 2 == parity) executor().park(site, &barrier);  // the phase of that parity is the current one
  shared_.hear(executor().thread().warp(), barrier.complete);
}

void AsyncProxy::fetch(const TensorMap& map, char* to, const SharedMemory::Extent& in, const char* barrier,
                       std::span<const int> place, std::span<const int> tap) {
  executor().require_waited("fetches by the TMA");
  const Visitor visitor = executor().thread().visitor();
  Barrier& arrives_at = barrier_at(barrier);
  if (!arrives_at.fenced)
    executor().stop("the TMA is told of a barrier that its maker has not fenced (fence_barriers)");
  if (const std::string refused = why_not_fetch(map, shared_.address(to), place, tap); !refused.empty()) {
    executor().stop(refused);
  }
  const std::size_t bytes = bytes_of_fetch(map);
  if (const Fault fault = shared_.begin_arrival(to, bytes, in, visitor); fault != Fault::none) {
    executor().stop(shared_.explain(fault, to, bytes, in, visitor));
  }
  require_read(to, bytes, "the TMA is to overwrite");
  std::erase_if(reads_, [&](const Read& read) { return read.first >= to && read.last <= to + bytes; });
  arrivals_.push_back({map, to, &arrives_at, {place.begin(), place.end()}, {tap.begin(), tap.end()}});
}

bool AsyncProxy::deliver() {
  if (arrivals_.empty()) return false;
  Barrier& barrier = *arrivals_.back().barrier;
  for (const Arrival& arrival : arrivals_) {
    if (arrival.barrier != &barrier) continue;
    arrive_at(arrival.map, shared_, arrival.to, arrival.place, arrival.tap);
    const std::size_t bytes = bytes_of_fetch(arrival.map);
    shared_.arrive(arrival.to, bytes, index_of(barrier), barrier.phase + 1);
    barrier.bytes -= static_cast<std::int64_t>(bytes);
  }
  std::erase_if(arrivals_, [&](const Arrival& arrival) { return arrival.barrier == &barrier; });
  end_phase_if_complete(barrier);
  return true;
}

void AsyncProxy::read(unsigned first_warp, const char* from, std::size_t bytes, unsigned group) {
  const std::uint32_t waits = executor().thread().home->groups[first_warp / warps_of_group].waits;
  const Fault fault = shared_.read_asynchronously(from, bytes, first_warp, warps_of_group, waits);
  if (fault != Fault::none) {
    executor().stop(shared_.explain(fault, from, bytes, shared_.whole(), executor().thread().visitor()));
  }
  if (!reads_.empty() && reads_.back().first_warp == first_warp && reads_.back().group == group &&
      reads_.back().last == from) {
    reads_.back().last = from + bytes;
  } else {
    reads_.push_back({from, from + bytes, first_warp, group});
  }
}

void AsyncProxy::finish(unsigned group) {
  const unsigned warp = executor().thread().warp();
  auto& steps = finished_[warp];
  if (steps.size() < group) steps.resize(group, shared_.clock(warp).heard[warp]);
}

// That the products which read there are finished, and that this thread knows.
void AsyncProxy::require_read(const char* to, std::size_t bytes, const char* what) {
  const Clock& mine = shared_.clock(executor().thread().warp());
  for (const Read& read : reads_) {
    if (read.last <= to || read.first >= to + bytes) continue;
    for (unsigned warp = read.first_warp; warp < read.first_warp + warps_of_group; ++warp) {
      const auto& steps = finished_[warp];
      if (steps.size() < read.group) {
        executor().stop(fmt::format("{} shared memory that an unfinished product of warp {} reads", what, warp));
      }
      if (warp != executor().thread().warp() && mine.heard[warp] < steps[read.group - 1]) {
        executor().stop(
            fmt::format("{} shared memory that a product of warp {} reads, with nothing in between that "
                        "says it is finished",
                        what, warp));
      }
    }
  }
}

void AsyncProxy::check_store(const char* to, std::size_t bytes) {
  if (!reads_.empty()) require_read(to, bytes, "a store to");
}

void AsyncProxy::thread_returns() {
  const ProductsOfThread& products = executor().thread().products;
  if (products.open || products.finished < products.committed) {
    executor().stop("returns before it has waited for its products (wait_for_products)");
  }
}

std::string AsyncProxy::left_behind() const {
  if (arrivals_.empty()) return {};
  return fmt::format("{}: the block has ended with bytes of the TMA on their way: nobody waited for {}",
                     executor().shape().kernel, describe(arrivals_.front().barrier));
}

std::string AsyncProxy::describe(const void* barrier) const {
  const auto& b = *static_cast<const Barrier*>(barrier);
  return fmt::format("barrier {} (phase {}, {} of {} arrivals and {} bytes missing)", index_of(b), b.phase, b.missing,
                     b.arrivals, b.bytes);
}

}  // namespace wajah::shim
