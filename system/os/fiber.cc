// The scheduler on Boost.Context's raw contexts.
//
// There is no scheduler stack: whoever parks picks the next fiber and jumps to it directly; if
// nobody can run, the idle loop runs on the parking fiber's own stack, and often returns to that
// very fiber without any jump.
//
// Deadlines are lazy. A fiber has at most one live timer entry, which may fire too early: then it
// is armed again for the deadline that holds by now. So a fiber that waits with a deadline a
// million times, and is always answered in time, touches the timer heap hardly ever.
#include "os/fiber.h"

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <boost/context/detail/fcontext.hpp>
#include <exception>

#include "base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#define SEATRIAL_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SEATRIAL_ASAN 1
#endif
#endif
#ifdef SEATRIAL_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace seatrial::os {

namespace context = boost::context::detail;

namespace detail {

// Thrown out of a park when the process is killed; caught where the fiber began.
struct Unwind {};

enum class FiberState : unsigned char { kNew, kRunnable, kRunning, kParked, kEnded };

struct FiberBody {
  context::fcontext_t context = nullptr;
  FiberState state = FiberState::kNew;
  Wake wake = Wake::kSignal;
  bool cancelled = false;
  bool killed = false;
  uint16_t inside_destructor = 0;   // Parks of these must not throw.
  uint32_t references = 0;          // Handles, the live list, timer entries.
  MonotonicTime deadline = kNever;  // Of the current park.
  MonotonicTime armed = kNever;     // Of the live timer entry.
  Fibers* process = nullptr;
  Scheduler* scheduler = nullptr;
  uint64_t id = 0;
  char* stack = nullptr;
  size_t stack_bytes = 0;
  FiberBody* older = nullptr;  // In the process's list.
  FiberBody* newer = nullptr;
  FiberBody* return_to = nullptr;  // Who unwinds us.
  FiberMain main;
  std::vector<FiberBody*> joiners;
  std::string name;
#ifdef SEATRIAL_ASAN
  void* fake_stack = nullptr;
#endif
};

// Stacks with a guard page below. A fresh one costs two system calls and page faults, so they are
// kept; the one freed last is the warmest.
class StackPool {
 public:
  explicit StackPool(size_t stack_bytes) : stack_bytes_(stack_bytes) {}
  ~StackPool() {
    for (char* stack : free_) munmap(stack - kGuardBytes, stack_bytes_ + kGuardBytes);
  }

  char* take() {
    if (!free_.empty()) {
      char* stack = free_.back();
      free_.pop_back();
      return stack;
    }
    void* base = mmap(nullptr, stack_bytes_ + kGuardBytes, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK_MSG(base != MAP_FAILED, "no address space for a fiber's stack");
    char* stack = static_cast<char*>(base) + kGuardBytes;
    CHECK(mprotect(stack, stack_bytes_, PROT_READ | PROT_WRITE) == 0);
    return stack;
  }

  void give_back(char* stack) {
#ifdef SEATRIAL_ASAN
    __asan_unpoison_memory_region(stack, stack_bytes_);
#endif
    free_.push_back(stack);
  }

  size_t stack_bytes() const { return stack_bytes_; }

 private:
  static constexpr size_t kGuardBytes = 4096;
  size_t stack_bytes_;
  std::vector<char*> free_;
};

}  // namespace detail

using detail::FiberBody;
using detail::FiberState;

// ---- RunQueue

void Scheduler::RunQueue::push(FiberBody* body) {
  if (size() == ring_.size()) {
    std::vector<FiberBody*> larger(ring_.size() * 2);
    const size_t count = size();
    for (size_t i = 0; i < count; ++i) larger[i] = at(head_ + i);
    ring_ = std::move(larger);
    head_ = 0;
    tail_ = count;
  }
  at(tail_++) = body;
}

FiberBody* Scheduler::RunQueue::take(size_t index) {
  std::swap(at(head_), at(head_ + index));
  return at(head_++);
}

void Scheduler::RunQueue::remove(FiberBody* body) {
  size_t kept = head_;
  for (size_t i = head_; i != tail_; ++i) {
    if (at(i) != body) at(kept++) = at(i);
  }
  tail_ = kept;
}

// ---- Fiber

Fiber::Fiber(FiberBody* body) : body_(body) { ++body_->references; }

Fiber::Fiber(const Fiber& other) : body_(other.body_) {
  if (body_ != nullptr) ++body_->references;
}

Fiber::~Fiber() {
  if (body_ != nullptr) body_->scheduler->release(body_);
}

bool Fiber::done() const { return body_ == nullptr || body_->state == FiberState::kEnded; }

Result<void> Fiber::join(MonotonicTime deadline) {
  while (!done()) {
    Scheduler& scheduler = *body_->scheduler;
    FiberBody* self = scheduler.current();
    CHECK(self != body_);
    body_->joiners.push_back(self);
    const Wake wake = self->process->park(deadline);
    if (!done()) std::erase(body_->joiners, self);
    if (done()) break;
    if (wake == Wake::kDeadline) return base::fail(base::Errc::kDeadline);
    if (wake == Wake::kCancelled) return base::fail(base::Errc::kCancelled);
  }
  return {};
}

void Fiber::cancel() {
  if (done() || body_->cancelled) return;
  body_->cancelled = true;
  body_->scheduler->wake(body_, Wake::kCancelled);
}

// ---- Fibers

Fibers::Fibers(Scheduler& scheduler) : scheduler_(scheduler) {}

Fibers::~Fibers() { kill(); }

Fiber Fibers::spawn(std::string_view name, FiberMain main) {
  auto* body = new FiberBody;
  body->process = this;
  body->scheduler = &scheduler_;
  body->id = scheduler_.next_id_++;
  body->name = name;
  Fiber handle(body);
  if (killed_) {
    body->state = FiberState::kEnded;
    return handle;
  }
  body->main = std::move(main);
  ++body->references;
  body->older = last_;
  if (last_ != nullptr) last_->newer = body;
  last_ = body;
  ++live_;
  scheduler_.make_runnable(body);
  return handle;
}

Result<void> Fibers::yield() {
  FiberBody* self = scheduler_.current_;
  if (self->cancelled) return base::fail(base::Errc::kCancelled);
  if (self->killed) {
    park();
    return base::fail(base::Errc::kCancelled);
  }
  // Parked for no time at all: behind everybody who can already run.
  self->state = FiberState::kParked;
  scheduler_.wake(self);
  scheduler_.switch_to(scheduler_.next());
  if (self->killed) park();
  if (self->wake == Wake::kCancelled) return base::fail(base::Errc::kCancelled);
  return {};
}

Wake Fibers::park(MonotonicTime deadline) {
  if (own_clock && deadline != kNever) {
    deadline = scheduler_.dispatch_.translate(*this, deadline);
  }
  return scheduler_.park(deadline);
}

void Fibers::kill() {
  killed_ = true;
  while (last_ != nullptr) {
    CHECK_MSG(last_ != scheduler_.current_, "a process cannot kill itself");
    scheduler_.unwind(last_);
  }
  held_.clear();
}

void Fibers::pause() { paused_ = true; }

void Fibers::resume() {
  paused_ = false;
  for (FiberBody* body : std::exchange(held_, {})) scheduler_.run_queue_.push(body);
}

// ---- FiberGroup

FiberGroup::~FiberGroup() {
  cancel();
  FiberBody* self = fibers_.scheduler().current();
  ++self->inside_destructor;
  for (Fiber& member : members_) {
    // The caller's own cancellation must not leave members behind that refer to its stack.
    while (!member.done() && !fibers_.killed()) {
      const bool cancelled = std::exchange(self->cancelled, false);
      (void)member.join();
      self->cancelled = self->cancelled || cancelled;
    }
  }
  --self->inside_destructor;
}

void FiberGroup::spawn(std::string_view name, FiberMain main) {
  if (members_.size() >= sweep_at_) forget_ended();
  members_.push_back(fibers_.spawn(name, std::move(main)));
}

void FiberGroup::cancel() {
  for (Fiber& member : members_) member.cancel();
}

Result<void> FiberGroup::join(MonotonicTime deadline) {
  for (size_t i = 0; i < members_.size(); ++i) {
    Fiber member = members_[i];
    TRY(member.join(deadline));
  }
  return {};
}

size_t FiberGroup::live() const {
  return static_cast<size_t>(
      std::count_if(members_.begin(), members_.end(), [](const Fiber& f) { return !f.done(); }));
}

void FiberGroup::forget_ended() {
  std::erase_if(members_, [](const Fiber& member) { return member.done(); });
  sweep_at_ = std::max<size_t>(16, members_.size() * 2);
}

// ---- Scheduler

Scheduler::Scheduler(Dispatch& dispatch, size_t stack_bytes)
    : dispatch_(dispatch),
      stacks_(std::make_unique<detail::StackPool>(stack_bytes)),
      root_(std::make_unique<FiberBody>()),
      current_(root_.get()) {
  root_->scheduler = this;
  root_->state = FiberState::kRunning;
  root_->name = "root";
  timers_.reserve(64);
#ifdef SEATRIAL_ASAN
  // Where the root stack lies, so that jumps back to it can be announced.
  pthread_attr_t attributes;
  void* low = nullptr;
  size_t bytes = 0;
  if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
    pthread_attr_getstack(&attributes, &low, &bytes);
    pthread_attr_destroy(&attributes);
  }
  root_->stack = static_cast<char*>(low);
  root_->stack_bytes = bytes;
#endif
}

Scheduler::~Scheduler() {
  CHECK(current_ == root_.get());
  for (const Timer& timer : timers_) release(timer.body);
}

bool Scheduler::in_fiber() const { return current_ != root_.get(); }

std::string_view Scheduler::name_of(const FiberBody* body) const { return body->name; }

void Scheduler::run() {
  CHECK(current_ == root_.get());
  stopping_ = false;
  root_->state = FiberState::kParked;
  switch_to(next());
}

Wake Scheduler::park(MonotonicTime deadline) {
  FiberBody* self = current_;
  if (self->killed || self->cancelled) [[unlikely]] {
    if (self->killed && self->inside_destructor == 0 && std::uncaught_exceptions() == 0) {
      throw detail::Unwind{};
    }
    return Wake::kCancelled;
  }
  CHECK_MSG(self != root_.get(), "only fibers park");
  if (deadline != kNever) arm(self, deadline);
  self->deadline = deadline;
  self->state = FiberState::kParked;
  switch_to(next());
  if (self->killed) [[unlikely]]
    return park(kNever);
  return self->wake;
}

void Scheduler::arm(FiberBody* body, MonotonicTime deadline) {
  if (body->armed <= deadline) return;
  body->armed = deadline;
  ++body->references;
  timers_.push_back({deadline, ++timer_order_, body});
  std::push_heap(timers_.begin(), timers_.end());
}

void Scheduler::expire(MonotonicTime now) {
  while (!timers_.empty() && timers_.front().time <= now) {
    const Timer timer = timers_.front();
    std::pop_heap(timers_.begin(), timers_.end());
    timers_.pop_back();
    FiberBody* body = timer.body;
    if (timer.time == body->armed) {
      body->armed = kNever;
      if (body->state == FiberState::kParked && body->deadline != kNever) {
        if (body->deadline <= now) {
          wake(body, Wake::kDeadline);
        } else {
          arm(body, body->deadline);
        }
      }
    }
    release(body);
  }
}

bool Scheduler::wake(FiberBody* body, Wake why) {
  if (body->state != FiberState::kParked || body == root_.get()) return false;
  body->wake = why;
  body->deadline = kNever;
  make_runnable(body);
  return true;
}

void Scheduler::make_runnable(FiberBody* body) {
  if (body->state != FiberState::kNew) body->state = FiberState::kRunnable;
  if (body->process->paused_) {
    body->process->held_.push_back(body);
  } else {
    run_queue_.push(body);
  }
}

FiberBody* Scheduler::next() {
  for (;;) {
    if (picks_left_ == 0) {
      picks_left_ = dispatch_.poll();
      if (next_deadline() != kNever) expire(dispatch_.now());
    }
    if (const size_t count = run_queue_.size(); count != 0) {
      --picks_left_;
      return run_queue_.take(count == 1 ? 0 : dispatch_.pick(count));
    }
    if (stopping_ || !dispatch_.idle(next_deadline())) {
      stopping_ = true;
      return root_.get();
    }
    if (next_deadline() != kNever) expire(dispatch_.now());
  }
}

namespace {

// The first thing on a stack that was jumped to: note where the one before us stands.
void arrive(context::transfer_t transfer) {
  static_cast<FiberBody*>(transfer.data)->context = transfer.fctx;
}

#ifdef SEATRIAL_ASAN
void announce_leave(FiberBody* from, const FiberBody* to) {
  __sanitizer_start_switch_fiber(from->state == FiberState::kEnded ? nullptr : &from->fake_stack,
                                 to->stack, to->stack_bytes);
}
void announce_arrive(FiberBody* self) {
  __sanitizer_finish_switch_fiber(self->fake_stack, nullptr, nullptr);
}
#else
void announce_leave(FiberBody*, const FiberBody*) {}
void announce_arrive(FiberBody*) {}
#endif

}  // namespace

void Scheduler::switch_to(FiberBody* target) {
  FiberBody* self = current_;
  if (target == self) {
    self->state = FiberState::kRunning;
    return;
  }
  if (target->state == FiberState::kNew) {
    target->stack_bytes = stacks_->stack_bytes();
    target->stack = stacks_->take();
    target->context = context::make_fcontext(
        target->stack + target->stack_bytes, target->stack_bytes, [](context::transfer_t from) {
          arrive(from);
          Scheduler* scheduler = static_cast<FiberBody*>(from.data)->scheduler;
          announce_arrive(scheduler->current_);
          scheduler->run_main(scheduler->current_);
        });
  }
  target->state = FiberState::kRunning;
  current_ = target;
  dispatch_.running(target->process, target->id);
  announce_leave(self, target);
  arrive(context::jump_fcontext(target->context, self));
  announce_arrive(self);
  if (ended_ != nullptr) [[unlikely]] {
    stacks_->give_back(std::exchange(ended_->stack, nullptr));
    release(std::exchange(ended_, nullptr));
  }
}

void Scheduler::run_main(FiberBody* body) {
  // We may stand here because somebody ended: their stack is free now.
  if (ended_ != nullptr) {
    stacks_->give_back(std::exchange(ended_->stack, nullptr));
    release(std::exchange(ended_, nullptr));
  }
  try {
    body->main();
    body->main = nullptr;
  } catch (const detail::Unwind&) {
    body->main = nullptr;
  }
  body->state = FiberState::kEnded;
  Fibers& process = *body->process;
  (body->newer != nullptr ? body->newer->older : process.last_) = body->older;
  if (body->older != nullptr) body->older->newer = body->newer;
  --process.live_;
  for (FiberBody* joiner : std::exchange(body->joiners, {})) wake(joiner);
  ended_ = body;
  switch_to(body->return_to != nullptr ? body->return_to : next());
  UNREACHABLE("an ended fiber was resumed");
}

// Ends one fiber now, on the caller's time.
void Scheduler::unwind(FiberBody* body) {
  body->killed = true;
  if (body->state == FiberState::kNew) {
    run_queue_.remove(body);
    body->main = nullptr;
    body->state = FiberState::kEnded;
    Fibers& process = *body->process;
    (body->newer != nullptr ? body->newer->older : process.last_) = body->older;
    if (body->older != nullptr) body->older->newer = body->newer;
    --process.live_;
    release(body);
    return;
  }
  if (body->state == FiberState::kRunnable) run_queue_.remove(body);
  FiberBody* self = current_;
  const FiberState before = self->state;
  body->return_to = self;
  self->state = FiberState::kParked;
  switch_to(body);
  self->state = before;
}

void Scheduler::release(FiberBody* body) {
  CHECK(body->references > 0);
  if (--body->references == 0) delete body;
}

}  // namespace seatrial::os
