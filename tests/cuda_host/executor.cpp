#include "executor.hpp"

#include <wajah/error.hpp>

#include <sys/mman.h>

#include <algorithm>
#include <new>

namespace wajah::shim {
namespace {

namespace context = boost::context::detail;

constexpr std::size_t stack_bytes = std::size_t{128} * 1024;
constexpr std::size_t page = 4096;

thread_local Executor* running_executor = nullptr;

// With a page below that must not be touched.
void* make_stack() {
  void* memory = mmap(nullptr, stack_bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory, page, PROT_NONE) != 0) throw std::bad_alloc();
  return memory;
}

}  // namespace

Executor::~Executor() { discard_fibers(); }

Executor& Executor::current() { return *running_executor; }

bool Executor::running() { return running_executor != nullptr; }

void Executor::discard_fibers() {
  for (Fiber& fiber : fibers_) munmap(fiber.stack, stack_bytes + page);
  fibers_.clear();
  idle_.clear();
  ready_.clear();
  next_ready_ = 0;
}

void Block::begin(const LaunchShape& shape, Dim at, unsigned number) {
  const auto warp_count = static_cast<unsigned>((shape.block.count() + 31) / 32);
  index = at;
  rank = number;
  begun = ended = arrived = waits = 0;
  at_barrier.clear();
  warps.resize(warp_count);
  for (Gathering& warp : warps) warp.arrived = warp.mask = 0;
  groups.resize(shape.block.count() / threads_of_group);
  for (GroupGathering& group : groups) group.arrived = 0;
  shared.clear(warp_count, shape.most_shared());
  async.clear();
}

void Executor::run(const LaunchShape& shape, Dim block, const std::function<void()>& body) {
  shape_ = &shape;
  body_ = &body;
  count_ = shape.cluster;
  threads_ = static_cast<unsigned>(shape.block.count());
  while (blocks_.size() < count_) blocks_.emplace_back();
  for (unsigned i = 0; i < count_; ++i) blocks_[i].begin(shape, {block.x + i, block.y, block.z}, i);
  cluster_arrived_ = cluster_ended_ = cluster_rounds_ = 0;
  at_cluster_.clear();
  parked_.clear();
  error_.clear();
  running_executor = this;
  running_ = &main_;
  hop(idle_fiber());
  for (unsigned i = 0; i < count_ && error_.empty(); ++i) error_ = blocks_[i].async.left_behind();
  running_executor = nullptr;
  if (!error_.empty()) {
    discard_fibers();  // some are in the middle of a kernel
    for (Block& one : blocks_) {
      for (Block::Gathering& warp : one.warps) warp.waiting.clear();
      for (Block::GroupGathering& group : one.groups) group.waiting.clear();
    }
    throw Error(ErrorKind::device, error_);
  }
}

Fiber& Executor::idle_fiber() {
  if (idle_.empty()) {
    Fiber& fiber = fibers_.emplace_back();
    fiber.stack = make_stack();
    fiber.context = context::make_fcontext(static_cast<char*>(fiber.stack) + page + stack_bytes, stack_bytes, &enter);
    return fiber;
  }
  Fiber& fiber = *idle_.back();
  idle_.pop_back();
  return fiber;
}

void Executor::enter(context::transfer_t from) {
  Executor& self = *running_executor;
  self.came_from_->context = from.fctx;
  self.work();
}

// The block whose next thread is to begin.
Block* Executor::next_block() {
  const auto end = blocks_.begin() + count_;
  const auto found = std::find_if(blocks_.begin(), end, [&](const Block& block) { return block.begun < threads_; });
  return found == end ? nullptr : &*found;
}

// A fiber's whole life: threads that have not begun, one after another, until none is left.
void Executor::work() {
  while (true) {
    while (Block* const block = next_block()) {
      begin_thread(*block);
      (*body_)();
      end_thread();
    }
    idle_.push_back(running_);
    leave();
  }
}

void Executor::begin_thread(Block& home) {
  const unsigned number = home.begun++;
  Thread& thread = running_->thread;
  const Dim& block = shape_->block;
  thread.index = {number % block.x, number / block.x % block.y, number / block.x / block.y};
  thread.block = home.index;
  thread.home = &home;
  thread.number = number;
  thread.arrivals = thread.waits = 0;
  thread.waited = !shape_->dependent;
  thread.shared_top = thread.shared_array = 0;
  thread.groups.clear();
  thread.open.clear();
  thread.products = {};
  thread_ = &thread;
}

// Shared memory is there as long as a thread of its block is, so whoever reads a neighbour's must have come to a
// barrier of the cluster since that one of its threads waits for.
void Executor::end_thread() {
  require_waited("returns");
  if (thread_->arrivals != thread_->waits) stop("returns without having waited at the cluster's barrier");
  Block& home = *thread_->home;
  home.async.thread_returns();
  ++home.ended;
  ++cluster_ended_;
  home.waits = std::max(home.waits, thread_->waits);
  if (home.ended == threads_ && home.shared.neighbours_read(home.waits)) {
    stop("returns, the last of its block, while another block may still read its shared memory");
  }
  if (cluster_arrived_ > 0 && cluster_arrived_ + cluster_ended_ == count_ * threads_) release_cluster();
}

// To whatever can go on: threads that have not begun first, so that they meet at the first barrier in order.
void Executor::leave() {
  if (next_block() != nullptr) return hop(idle_fiber());
  if (next_ready_ < ready_.size()) {
    Fiber& next = *ready_[next_ready_++];
    if (next_ready_ == ready_.size()) {
      ready_.clear();
      next_ready_ = 0;
    }
    return hop(next);
  }
  if (cluster_ended_ < count_ * threads_) {
    if (deliver()) return leave();
    error_ = where_all_wait();
  }
  hop(main_);
}

// No thread can go on: lets bytes of the TMA arrive. False if none are on their way.
bool Executor::deliver() {
  return std::any_of(blocks_.begin(), blocks_.begin() + count_, [](Block& block) { return block.async.deliver(); });
}

void Executor::hop(Fiber& to) {
  if (&to == running_) return;
  Fiber& from = *running_;
  came_from_ = &from;
  running_ = &to;
  thread_ = &to.thread;
  const context::transfer_t back = context::jump_fcontext(to.context, nullptr);
  came_from_->context = back.fctx;
}

void Executor::stop(const std::string& message) {
  const Thread& t = *thread_;
  error_ = fmt::format("{}: block ({}, {}, {}), thread ({}, {}, {}): {}", shape_->kernel, t.block.x, t.block.y,
                       t.block.z, t.index.x, t.index.y, t.index.z, message);
  hop(main_);
  __builtin_unreachable();
}

std::string Executor::where_all_wait() const {
  const auto stuck = std::find_if(blocks_.begin(), blocks_.begin() + count_,
                                  [&](const Block& block) { return block.ended < threads_; });
  const Block& block = *stuck;
  std::string text = fmt::format("{}: block ({}, {}, {}): threads wait for one another for ever", shape_->kernel,
                                 block.index.x, block.index.y, block.index.z);
  if (cluster_arrived_ > 0) {
    text += fmt::format("; {} of the cluster's {} at its barrier {}:{}", cluster_arrived_, count_ * threads_,
                        cluster_site_.file, cluster_site_.line);
  }
  if (block.arrived > 0) {
    text += fmt::format("; {} of {} at the barrier {}:{} (thread {} first)", block.arrived, threads_,
                        block.barrier_site.file, block.barrier_site.line, block.at_barrier.front()->thread.number);
  }
  if (block.ended > 0) text += fmt::format("; {} have returned", block.ended);
  for (std::size_t w = 0; w < block.warps.size(); ++w) {
    const Block::Gathering& warp = block.warps[w];
    if (warp.arrived == 0) continue;
    text += fmt::format("; warp {} at {}:{}: lanes {:#010x} came, {:#010x} were named", w, warp.site.file,
                        warp.site.line, warp.arrived, warp.mask);
  }
  for (std::size_t g = 0; g < block.groups.size(); ++g) {
    const Block::GroupGathering& group = block.groups[g];
    if (group.arrived == 0) continue;
    text += fmt::format("; {} of warpgroup {} at {}:{}", group.arrived, g, group.site.file, group.site.line);
  }
  return text + who_is_parked();
}

std::string Executor::who_is_parked() const {
  std::string text;
  for (std::size_t i = 0; i < parked_.size(); ++i) {
    const Parked& one = parked_[i];
    const auto alike = [&](const Parked& other) { return other.what == one.what && other.site == one.site; };
    if (std::find_if(parked_.begin(), parked_.end(), alike) - parked_.begin() < static_cast<std::ptrdiff_t>(i))
      continue;
    const Thread& thread = one.fiber->thread;
    text += fmt::format("; {} for {} at {}:{} (thread {} first)", std::count_if(parked_.begin(), parked_.end(), alike),
                        thread.home->async.describe(one.what), one.site.file, one.site.line, thread.number);
  }
  return text;
}

int Executor::barrier(Site site, bool vote) {
  require_waited("comes to a barrier");
  Block& home = *thread_->home;
  if (home.arrived == 0) {
    home.barrier_site = site;
    home.votes = 0;
  } else if (!(home.barrier_site == site)) {
    stop(fmt::format("diverging barriers: this thread is at {}:{}, thread {} waits at {}:{}", site.file, site.line,
                     home.at_barrier.front()->thread.number, home.barrier_site.file, home.barrier_site.line));
  }
  home.votes += vote ? 1 : 0;
  ++home.arrived;
  if (home.arrived < threads_) {
    home.at_barrier.push_back(running_);
    leave();
    return home.last_votes;
  }
  home.arrived = 0;
  home.last_votes = home.votes;
  home.shared.block_barrier();
  ready_.insert(ready_.end(), home.at_barrier.begin(), home.at_barrier.end());
  home.at_barrier.clear();
  return home.last_votes;
}

void Executor::arrive_in_cluster(Site site) {
  require_waited("comes to the cluster's barrier");
  if (thread_->arrivals != thread_->waits) stop("arrives twice at the cluster's barrier without waiting");
  if (cluster_arrived_ == 0) {
    cluster_site_ = site;
  } else if (!(cluster_site_ == site)) {
    stop(fmt::format("diverging barriers of the cluster: this thread is at {}:{}, others are at {}:{}", site.file,
                     site.line, cluster_site_.file, cluster_site_.line));
  }
  ++thread_->arrivals;
  thread_->home->shared.arrive_in_cluster(thread_->warp());
  if (++cluster_arrived_ + cluster_ended_ == count_ * threads_) release_cluster();
}

void Executor::wait_in_cluster(Site site) {
  if (thread_->arrivals == thread_->waits) {
    stop(fmt::format("{}:{}: waits at the cluster's barrier without having arrived", site.file, site.line));
  }
  if (cluster_rounds_ < thread_->arrivals) {
    at_cluster_.push_back(running_);
    leave();
  }
  ++thread_->waits;
  thread_->home->shared.wait_in_cluster(thread_->warp(), thread_->waits);
}

void Executor::release_cluster() {
  cluster_arrived_ = 0;
  ++cluster_rounds_;
  for (unsigned i = 0; i < count_; ++i) blocks_[i].shared.release_cluster(cluster_rounds_);
  ready_.insert(ready_.end(), at_cluster_.begin(), at_cluster_.end());
  at_cluster_.clear();
}

Block& Executor::neighbour(unsigned rank) {
  if (rank >= count_) stop(fmt::format("block {} of a cluster of {}", rank, count_));
  if (blocks_[rank].ended == threads_) stop(fmt::format("block {} of the cluster has returned", rank));
  return blocks_[rank];
}

void Executor::collective(Site site, std::uint32_t mask, void* payload, Collective compute) {
  require_waited("meets its warp");
  const unsigned lane = thread_->lane();
  const unsigned number = thread_->warp();
  Block& home = *thread_->home;
  Block::Gathering& warp = home.warps[number];
  if ((mask >> lane & 1U) == 0)
    stop(fmt::format("{}:{}: the mask {:#010x} leaves out lane {} itself", site.file, site.line, mask, lane));
  if (warp.arrived == 0) {
    warp.site = site;
    warp.mask = mask;
  } else if (!(warp.site == site) || warp.mask != mask) {
    stop(
        fmt::format("diverging warp: this lane is at {}:{} with mask {:#010x}, lanes {:#010x} wait at {}:{} with mask "
                    "{:#010x}",
                    site.file, site.line, mask, warp.arrived, warp.site.file, warp.site.line, warp.mask));
  }
  warp.payloads[lane] = payload;
  warp.arrived |= 1U << lane;
  if (warp.arrived != mask) {
    warp.waiting.push_back(running_);
    leave();
    return;
  }
  warp.arrived = 0;
  home.shared.warp_barrier(number);
  if (compute != nullptr) compute(warp.payloads, mask);
  ready_.insert(ready_.end(), warp.waiting.begin(), warp.waiting.end());
  warp.waiting.clear();
}

void Executor::group_collective(Site site, void* payload, GroupCollective compute) {
  require_waited("meets its warpgroup");
  const unsigned number = thread_->number / threads_of_group;
  auto& groups = thread_->home->groups;
  if (number >= groups.size()) stop(fmt::format("{}:{}: this warp is of no whole warpgroup", site.file, site.line));
  Block::GroupGathering& group = groups[number];
  if (group.arrived == 0) {
    group.site = site;
    group.waits = thread_->waits;
  } else if (!(group.site == site)) {
    stop(fmt::format("diverging warpgroup: this thread is at {}:{}, {} others wait at {}:{}", site.file, site.line,
                     group.arrived, group.site.file, group.site.line));
  }
  group.waits = std::min(group.waits, thread_->waits);
  group.payloads[thread_->number % threads_of_group] = payload;
  if (++group.arrived < threads_of_group) {
    group.waiting.push_back(running_);
    leave();
    return;
  }
  group.arrived = 0;
  compute(group.payloads);
  ready_.insert(ready_.end(), group.waiting.begin(), group.waiting.end());
  group.waiting.clear();
}

void Executor::park(Site site, const void* what) {
  parked_.push_back({site, what, running_});
  leave();
}

void Executor::wake(const void* what) {
  for (const Parked& one : parked_) {
    if (one.what == what) ready_.push_back(one.fiber);
  }
  std::erase_if(parked_, [&](const Parked& one) { return one.what == what; });
}

}  // namespace wajah::shim
