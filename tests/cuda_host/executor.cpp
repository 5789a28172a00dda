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

void Executor::run(const LaunchShape& shape, Dim block, const std::function<void()>& body) {
  shape_ = &shape;
  body_ = &body;
  block_ = block;
  threads_ = static_cast<unsigned>(shape.block.count());
  begun_ = ended_ = arrived_ = 0;
  at_barrier_.clear();
  warps_.resize((threads_ + 31) / 32);
  for (Gathering& warp : warps_) warp.arrived = warp.mask = 0;
  shared_.clear((threads_ + 31) / 32);
  error_.clear();
  running_executor = this;
  running_ = &main_;
  hop(idle_fiber());
  running_executor = nullptr;
  if (!error_.empty()) {
    discard_fibers();  // some are in the middle of a kernel
    for (Gathering& warp : warps_) warp.waiting.clear();
    throw Error(ErrorKind::device, error_);
  }
}

Executor::Fiber& Executor::idle_fiber() {
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

// A fiber's whole life: threads that have not begun, one after another, until none is left.
void Executor::work() {
  while (true) {
    while (begun_ < threads_) {
      begin_thread(begun_++);
      (*body_)();
      require_waited("returns");
      ++ended_;
    }
    idle_.push_back(running_);
    leave();
  }
}

void Executor::begin_thread(unsigned number) {
  Thread& thread = running_->thread;
  const Dim& block = shape_->block;
  thread.index = {number % block.x, number / block.x % block.y, number / block.x / block.y};
  thread.block = block_;
  thread.number = number;
  thread.waited = !shape_->dependent;
  thread.shared_top = thread.shared_array = 0;
  thread.groups.clear();
  thread.open.clear();
  thread_ = &thread;
}

// To whatever can go on: threads that have not begun first, so that they meet at the first barrier in order.
void Executor::leave() {
  if (begun_ < threads_) return hop(idle_fiber());
  if (next_ready_ < ready_.size()) {
    Fiber& next = *ready_[next_ready_++];
    if (next_ready_ == ready_.size()) {
      ready_.clear();
      next_ready_ = 0;
    }
    return hop(next);
  }
  if (ended_ < threads_) error_ = where_all_wait();
  hop(main_);
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
  std::string text = fmt::format("{}: block ({}, {}, {}): threads wait for one another for ever", shape_->kernel,
                                 block_.x, block_.y, block_.z);
  if (arrived_ > 0) {
    text += fmt::format("; {} of {} at the barrier {}:{} (thread {} first)", arrived_, threads_, barrier_site_.file,
                        barrier_site_.line, at_barrier_.front()->thread.number);
  }
  if (ended_ > 0) text += fmt::format("; {} have returned", ended_);
  for (std::size_t w = 0; w < warps_.size(); ++w) {
    const Gathering& warp = warps_[w];
    if (warp.arrived == 0) continue;
    text += fmt::format("; warp {} at {}:{}: lanes {:#010x} came, {:#010x} were named", w, warp.site.file,
                        warp.site.line, warp.arrived, warp.mask);
  }
  return text;
}

int Executor::barrier(Site site, bool vote) {
  require_waited("comes to a barrier");
  if (arrived_ == 0) {
    barrier_site_ = site;
    votes_ = 0;
  } else if (!(barrier_site_ == site)) {
    stop(fmt::format("diverging barriers: this thread is at {}:{}, thread {} waits at {}:{}", site.file, site.line,
                     at_barrier_.front()->thread.number, barrier_site_.file, barrier_site_.line));
  }
  votes_ += vote ? 1 : 0;
  ++arrived_;
  if (arrived_ < threads_) {
    at_barrier_.push_back(running_);
    leave();
    return last_votes_;
  }
  arrived_ = 0;
  last_votes_ = votes_;
  shared_.block_barrier();
  ready_.insert(ready_.end(), at_barrier_.begin(), at_barrier_.end());
  at_barrier_.clear();
  return last_votes_;
}

void Executor::collective(Site site, std::uint32_t mask, void* payload, Collective compute) {
  require_waited("meets its warp");
  const unsigned lane = thread_->lane();
  const unsigned number = thread_->warp();
  Gathering& warp = warps_[number];
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
  shared_.warp_barrier(number);
  if (compute != nullptr) compute(warp.payloads, mask);
  ready_.insert(ready_.end(), warp.waiting.begin(), warp.waiting.end());
  warp.waiting.clear();
}

}  // namespace wajah::shim
