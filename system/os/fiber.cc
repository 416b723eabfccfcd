// The scheduler on Boost.Context's raw contexts.
//
// There is no scheduler stack: whoever parks picks the next fiber and jumps to it directly; if
// nobody can run, the idle loop runs on the parking fiber's own stack, and often returns to that
// very fiber without any jump.
//
// Deadlines are lazy. A fiber has at most one timer entry, which may fire too early: then it is
// armed again for the deadline that holds by now. So a fiber that waits with a deadline a million
// times, and is always answered in time, touches the timer heap hardly ever.
#include "os/fiber.h"

#include "base/check.h"
#include "base/random.h"
#include "os/sync.h"

#include <cxxabi.h>
#include <sys/mman.h>
#include <boost/context/detail/fcontext.hpp>

#include <algorithm>
#include <exception>

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

constexpr size_t kNoTimer = SIZE_MAX;

struct Stack {
  char* low = nullptr;  // Its guard page lies below.
  size_t bytes = 0;
};

struct FiberBody {
  context::fcontext_t context = nullptr;
  FiberState state = FiberState::kNew;
  Wake wake = Wake::kSignal;
  bool cancelled = false;
  bool killed = false;
  uint16_t shielded = 0;            // Parks of these ignore cancelled;
  uint16_t inside_destructor = 0;   // and these must not throw.
  uint32_t references = 0;          // Handles and the live list.
  size_t timer = kNoTimer;          // The place of its entry in the heap.
  MonotonicTime deadline = kNever;  // Of the current park.
  uint64_t order = 0;               // Of the current park: breaks ties between deadlines.
  Fibers* process = nullptr;
  Scheduler* scheduler = nullptr;
  uint64_t key = 0;               // Names it under its process's key.
  uint64_t number = 0;            // Among those of its name.
  uint64_t wakes = 0;             // How often it became runnable;
  uint64_t wakes_since_rest = 0;  // and since nobody could run, for
  uint64_t rest = 0;              // the time before.
  Stack stack;
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

// Stacks with a guard page below, made several at a time, since each system call costs more than
// most fibers do. Those that are free wait for the next fibers, the one freed last first: it is the
// warmest. Of more than `kept_max` the system gets the memory back.
class StackPool {
 public:
  StackPool(size_t stack_bytes, size_t kept_max) : stack_bytes_(stack_bytes), kept_max_(kept_max) {}
  ~StackPool() {
    for (char* slab : slabs_) munmap(slab, kSlabStacks * place_bytes());
  }

  Stack take() {
    if (free_.empty()) return make();
    const Stack stack = free_.back();
    free_.pop_back();
    return stack;
  }

  void give_back(Stack stack) {
#ifdef SEATRIAL_ASAN
    __asan_unpoison_memory_region(stack.low, stack.bytes);
#endif
    if (free_.size() >= kept_max_) madvise(stack.low, stack.bytes, MADV_DONTNEED);
    free_.push_back(stack);
  }

 private:
  static constexpr size_t kGuardBytes = 4096;
  static constexpr size_t kSlabStacks = 16;

  size_t place_bytes() const { return kGuardBytes + stack_bytes_; }

  Stack make() {
    if (made_ % kSlabStacks == 0) {
      void* slab = mmap(nullptr, kSlabStacks * place_bytes(), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      CHECK_MSG(slab != MAP_FAILED, "no address space for a fiber's stack");
      slabs_.push_back(static_cast<char*>(slab));
    }
    char* guard = slabs_.back() + (made_++ % kSlabStacks) * place_bytes();
    CHECK(mprotect(guard, kGuardBytes, PROT_NONE) == 0);
    return {guard + kGuardBytes, stack_bytes_};
  }

  size_t stack_bytes_;
  size_t kept_max_;
  size_t made_ = 0;
  std::vector<char*> slabs_;
  std::vector<Stack> free_;
};

}  // namespace detail

using detail::FiberBody;
using detail::FiberState;

// ---- RunQueue

namespace {

// What a fiber draws for its place among those who can run: from its own numbers alone. Who comes
// back again and again within one moment goes behind those who were not yet served, so that two
// who wait for each other by yielding cannot keep out a third: every sixty-fourth time it enters
// a later round.
uint64_t draw_turn(const FiberBody& body) {
  constexpr uint64_t kWakesOfRound = 64;
  constexpr int kRoundBits = 16;
  constexpr uint64_t kRoundMax = (1U << kRoundBits) - 1;
  const uint64_t round = std::min(body.wakes_since_rest / kWakesOfRound, kRoundMax);
  return round << (64 - kRoundBits) | base::mix64(body.key + body.wakes) >> kRoundBits;
}

}  // namespace

void Scheduler::RunQueue::push(FiberBody* body) {
  if (empty()) {
    only_ = body;
    return;
  }
  if (only_ != nullptr) append(std::exchange(only_, nullptr));
  append(body);
}

void Scheduler::RunQueue::append(FiberBody* body) {
  // What was taken off the front is given back before the memory grows.
  if (turns_.size() == turns_.capacity() && head_ >= turns_.size() / 2) {
    turns_.erase(turns_.begin(), turns_.begin() + static_cast<ptrdiff_t>(head_));
    head_ = 0;
  }
  if (order_ == Order::kArrival) {
    turns_.push_back({0, body});
  } else {
    turns_.push_back({draw_turn(*body), body});
    std::ranges::push_heap(turns_, later);
  }
}

FiberBody* Scheduler::RunQueue::take() {
  if (only_ != nullptr) [[likely]]
    return std::exchange(only_, nullptr);
  if (order_ == Order::kArrival) {
    FiberBody* const body = turns_[head_++].body;
    if (head_ == turns_.size()) {
      turns_.clear();
      head_ = 0;
    }
    return body;
  }
  std::ranges::pop_heap(turns_, later);
  FiberBody* const body = turns_.back().body;
  turns_.pop_back();
  return body;
}

void Scheduler::RunQueue::settle() {
  if (only_ != nullptr) append(std::exchange(only_, nullptr));
  turns_.erase(turns_.begin(), turns_.begin() + static_cast<ptrdiff_t>(std::exchange(head_, 0)));
}

void Scheduler::RunQueue::remove(FiberBody* body) {
  settle();
  std::erase_if(turns_, [&](const Turn& each) { return each.body == body; });
  if (order_ == Order::kShuffled) std::ranges::make_heap(turns_, later);
}

void Scheduler::RunQueue::move_out(const Fibers* process, std::vector<FiberBody*>& to) {
  settle();
  if (order_ == Order::kShuffled) std::ranges::sort(turns_, {}, &Turn::drawn);
  for (const Turn& each : turns_) {
    if (each.body->process == process) to.push_back(each.body);
  }
  std::erase_if(turns_, [&](const Turn& each) { return each.body->process == process; });
  if (order_ == Order::kShuffled) std::ranges::make_heap(turns_, later);
}

// ---- Fiber

Fiber::Fiber(FiberBody* body) : body_(body) { ++body_->references; }

Fiber::Fiber(const Fiber& other) : body_(other.body_) {
  if (body_ != nullptr) ++body_->references;
}

Fiber::~Fiber() {
  if (body_ != nullptr) Scheduler::release(body_);
}

bool Fiber::done() const { return body_ == nullptr || body_->state == FiberState::kEnded; }

Result<void> Fiber::join(MonotonicTime deadline) {
  // The handle may be gone when the wait is over, and the joined fiber too.
  const Fiber joined = *this;
  while (!joined.done()) {
    FiberBody* self = joined.body_->scheduler->current();
    CHECK_MSG(self->process != nullptr, "only fibers join");
    CHECK_MSG(self != joined.body_, "a fiber cannot join itself");
    struct Joining {
      std::vector<FiberBody*>& joiners;
      FiberBody* self;
      ~Joining() { std::erase(joiners, self); }
    };
    Wake wake;
    {
      joined.body_->joiners.push_back(self);
      const Joining joining{joined.body_->joiners, self};
      wake = self->process->park(deadline);
    }
    if (joined.done()) break;
    if (wake == Wake::kDeadline) return base::fail(base::Errc::kDeadline);
    if (wake == Wake::kCancelled) return base::fail(base::Errc::kCancelled);
  }
  return {};
}

void Fiber::cancel() {
  if (done() || body_->cancelled) return;
  body_->cancelled = true;
  if (body_->shielded == 0) body_->scheduler->wake(body_, Wake::kCancelled);
}

// ---- Fibers

Fibers::Fibers(Scheduler& scheduler) : scheduler_(scheduler) {}

Fibers::~Fibers() { kill(); }

Fiber Fibers::spawn(std::string_view name, FiberMain main) {
  auto* body = new FiberBody;
  body->process = this;
  body->scheduler = &scheduler_;
  const uint64_t hash = base::hash_name(name);
  body->number = spawned_[hash]++;
  body->key = base::mix64(base::mix64(key ^ hash) + body->number);
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
  CHECK_MSG(self->process == this, "only a fiber of the process yields");
  if (self->cancelled || self->killed) return to_result(park());
  // Parked for no time at all: behind everybody who can already run.
  self->state = FiberState::kParked;
  scheduler_.wake(self);
  scheduler_.switch_to(scheduler_.next());
  if (self->cancelled || self->killed) return to_result(park());
  return {};
}

Wake Fibers::park(MonotonicTime deadline) {
  if (own_clock && deadline != kNever) {
    deadline = scheduler_.dispatch_.translate(*this, deadline);
  }
  return scheduler_.park(deadline);
}

void Fibers::park_uncancelled(MonotonicTime deadline) {
  FiberBody* self = scheduler_.current_;
  ++self->shielded;
  struct Unshield {
    FiberBody* self;
    ~Unshield() { --self->shielded; }
  } const unshield{self};
  (void)park(deadline);
}

bool Fibers::cancelled() const {
  const FiberBody* self = scheduler_.current_;
  return self->killed || (self->cancelled && self->shielded == 0);
}

void Fibers::kill() {
  killed_ = true;
  while (last_ != nullptr) {
    CHECK_MSG(last_ != scheduler_.current_, "a process cannot kill itself");
    scheduler_.unwind(last_);
  }
  held_.clear();
}

void Fibers::pause() {
  stopped_ |= kPaused;
  scheduler_.run_queue_.move_out(this, held_);
}

void Fibers::resume() {
  stopped_ &= static_cast<unsigned char>(~kPaused);
  let_go();
}

void Fibers::ration() {
  stopped_ |= kRationed;
  scheduler_.run_queue_.move_out(this, held_);
  if (waiting() > 0) scheduler_.dispatch_.rationed(*this);
}

void Fibers::ration_no_more() {
  stopped_ &= static_cast<unsigned char>(~kRationed);
  let_go();
}

size_t Fibers::waiting() const {
  if (killed_ || (stopped_ & kPaused) != 0) return 0;
  if (alone_ == nullptr) return held_.size();
  return std::ranges::find(held_, alone_) != held_.end() ? 1 : 0;
}

void Fibers::let_one_go(size_t which) {
  CHECK(which < waiting());
  const auto body = alone_ != nullptr ? std::ranges::find(held_, alone_)
                                      : held_.begin() + static_cast<ptrdiff_t>(which);
  scheduler_.run_queue_.push(*body);
  held_.erase(body);
}

void Fibers::hold_others() {
  CHECK(alone_ == nullptr);
  alone_ = scheduler_.current();
  scheduler_.run_queue_.move_out(this, held_);
}

void Fibers::let_others_go() {
  alone_ = nullptr;
  // A holder that is being unwound: of the others some are gone already, and none is to run.
  if (!killed_) let_go();
}

bool Fibers::holds(const FiberBody* body) const {
  return stopped_ != 0 || (alone_ != nullptr && alone_ != body);
}

void Fibers::let_go() {
  for (FiberBody* body : std::exchange(held_, {})) scheduler_.make_runnable(body);
}

// ---- FiberGroup

FiberGroup::~FiberGroup() {
  ending_ = true;
  cancel();
  FiberBody* self = fibers_.scheduler().current();
  // The caller's own cancellation must not leave members behind that refer to its stack.
  ++self->shielded;
  ++self->inside_destructor;
  for (size_t i = 0; i < members_.size(); ++i) {
    Fiber member = members_[i];  // A copy: members may still spawn others.
    while (!member.done() && !fibers_.killed()) (void)member.join();
  }
  --self->inside_destructor;
  --self->shielded;
}

void FiberGroup::spawn(std::string_view name, FiberMain main) {
  if (!ending_ && members_.size() >= sweep_at_) forget_ended();
  members_.push_back(fibers_.spawn(name, std::move(main)));
  if (ending_) members_.back().cancel();
}

void FiberGroup::cancel() {
  for (Fiber& member : members_) member.cancel();
}

Result<void> FiberGroup::join(MonotonicTime deadline) {
  while (live() > 0) {
    std::vector<Fiber> present = members_;  // A copy: members may still spawn others.
    for (Fiber& member : present) TRY(member.join(deadline));
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

Scheduler::Scheduler(Dispatch& dispatch, size_t stack_bytes, Order order, size_t stacks_kept)
    : dispatch_(dispatch),
      stacks_(std::make_unique<detail::StackPool>(stack_bytes, stacks_kept)),
      root_(std::make_unique<FiberBody>()),
      current_(root_.get()),
      run_queue_(order) {
  root_->scheduler = this;
  root_->state = FiberState::kRunning;
  root_->name = "root";
  timers_.reserve(64);
}

Scheduler::~Scheduler() {
  CHECK(current_ == root_.get());
  CHECK(timers_.empty());
}

bool Scheduler::in_fiber() const { return current_ != root_.get(); }

std::string_view Scheduler::name_of(const FiberBody* body) const { return body->name; }

uint64_t Scheduler::number_of(const FiberBody* body) const { return body->number; }

void Scheduler::run() {
  CHECK(current_ == root_.get());
  stopping_ = false;
  root_->state = FiberState::kParked;
  switch_to(next());
}

Wake Scheduler::park(MonotonicTime deadline) {
  FiberBody* self = current_;
  if (self->killed) [[unlikely]] {
    if (self->inside_destructor == 0 && std::uncaught_exceptions() == 0) throw detail::Unwind{};
    return Wake::kCancelled;
  }
  if (self->cancelled && self->shielded == 0) [[unlikely]]
    return Wake::kCancelled;
  CHECK_MSG(self != root_.get(), "only fibers park");
  self->deadline = deadline;
  if (deadline != kNever) arm(self);
  self->state = FiberState::kParked;
  switch_to(next());
  if (self->killed) [[unlikely]]
    return park(kNever);
  return self->wake;
}

// Sees to it that the body's entry fires at its deadline or before.
void Scheduler::arm(FiberBody* body) {
  const Timer timer{body->deadline, ++park_order_, body};
  body->order = timer.order;
  if (body->timer == detail::kNoTimer) {
    timers_.push_back(timer);
    sift_up(timers_.size() - 1, timer);
  } else if (timer.time < timers_[body->timer].time) {
    sift_up(body->timer, timer);
  }
}

void Scheduler::disarm(FiberBody* body) {
  if (body->timer == detail::kNoTimer) return;
  const size_t index = std::exchange(body->timer, detail::kNoTimer);
  const Timer last = timers_.back();
  timers_.pop_back();
  if (last.body == body) return;
  if (index > 0 && last.before(timers_[(index - 1) / 2])) {
    sift_up(index, last);
  } else {
    sift_down(index, last);
  }
}

void Scheduler::place(size_t index, const Timer& timer) {
  timers_[index] = timer;
  timer.body->timer = index;
}

void Scheduler::sift_up(size_t index, const Timer& timer) {
  while (index > 0) {
    const size_t parent = (index - 1) / 2;
    if (!timer.before(timers_[parent])) break;
    place(index, timers_[parent]);
    index = parent;
  }
  place(index, timer);
}

void Scheduler::sift_down(size_t index, const Timer& timer) {
  for (;;) {
    size_t child = 2 * index + 1;
    if (child >= timers_.size()) break;
    if (child + 1 < timers_.size() && timers_[child + 1].before(timers_[child])) ++child;
    if (!timers_[child].before(timer)) break;
    place(index, timers_[child]);
    index = child;
  }
  place(index, timer);
}

void Scheduler::expire(MonotonicTime now) {
  while (!timers_.empty() && timers_.front().time <= now) {
    const Timer timer = timers_.front();
    FiberBody* body = timer.body;
    const bool waits = body->state == FiberState::kParked && body->deadline != kNever;
    if (!waits) {
      disarm(body);
    } else if (const Timer due{body->deadline, body->order, body}; timer.before(due)) {
      sift_down(0, due);
    } else {
      disarm(body);
      wake(body, Wake::kDeadline);
    }
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
  ++body->wakes;
  body->wakes_since_rest =
      std::exchange(body->rest, rests_) == rests_ ? body->wakes_since_rest + 1 : 0;
  Fibers& process = *body->process;
  if (!process.holds(body)) {
    run_queue_.push(body);
    return;
  }
  process.held_.push_back(body);
  if (process.stopped_ == Fibers::kRationed) dispatch_.rationed(process);
}

FiberBody* Scheduler::next() {
  for (;;) {
    if (picks_left_ == 0) {
      picks_left_ = dispatch_.poll();
      CHECK(picks_left_ > 0);
      if (next_deadline() != kNever) expire(dispatch_.now());
    }
    if (!run_queue_.empty()) {
      --picks_left_;
      return run_queue_.take();
    }
    ++rests_;
    if (stopping_ || !dispatch_.idle(next_deadline())) {
      stopping_ = true;
      return root_.get();
    }
    if (next_deadline() != kNever) expire(dispatch_.now());
  }
}

namespace {

// Before and after each jump the sanitizer is told on which stack we stand. It also tells where
// the stack before lies, which for a root nobody else knows.
#ifdef SEATRIAL_ASAN
void announce_leave(FiberBody* from, const FiberBody* to, bool for_ever) {
  __sanitizer_start_switch_fiber(for_ever ? nullptr : &from->fake_stack, to->stack.low,
                                 to->stack.bytes);
}
void announce_arrive(FiberBody* self, FiberBody* from) {
  const void* low = nullptr;
  size_t bytes = 0;
  __sanitizer_finish_switch_fiber(self->fake_stack, &low, &bytes);
  from->stack = {static_cast<char*>(const_cast<void*>(low)), bytes};
}
#else
void announce_leave(FiberBody*, const FiberBody*, bool) {}
void announce_arrive(FiberBody*, FiberBody*) {}
#endif

// The first thing on a stack that was jumped to: note where the one before us stands.
void arrive(FiberBody* self, context::transfer_t transfer) {
  auto* from = static_cast<FiberBody*>(transfer.data);
  from->context = transfer.fctx;
  announce_arrive(self, from);
}

}  // namespace

void Scheduler::switch_to(FiberBody* target) {
  FiberBody* self = current_;
  if (target == self) {
    self->state = FiberState::kRunning;
    return;
  }
  if (target->state == FiberState::kNew) {
    target->stack = stacks_->take();
    target->context = context::make_fcontext(
        target->stack.low + target->stack.bytes, target->stack.bytes, [](context::transfer_t from) {
          Scheduler* scheduler = static_cast<FiberBody*>(from.data)->scheduler;
          arrive(scheduler->current_, from);
          scheduler->settle();
          scheduler->run_main(scheduler->current_);
        });
  }
  target->state = FiberState::kRunning;
  current_ = target;
  dispatch_.running(target->process, target->key);
  announce_leave(self, target, self == ended_);
  arrive(self, context::jump_fcontext(target->context, self));
  settle();
}

// We may stand here because somebody ended: their stack is free now.
void Scheduler::settle() {
  if (ended_ == nullptr) [[likely]]
    return;
  stacks_->give_back(std::exchange(ended_->stack, {}));
  release(std::exchange(ended_, nullptr));
}

void Scheduler::run_main(FiberBody* body) {
  try {
    body->main();
  } catch (const detail::Unwind&) {
  }
  // What the function had captured is destroyed on this stack, and may not be unwound any more.
  ++body->inside_destructor;
  body->main = nullptr;
  end(body);
  FiberBody* target = body->return_to != nullptr ? body->return_to : next();
  // Only now: the machine may have unwound others on this stack while it looked for the next.
  CHECK(ended_ == nullptr);
  ended_ = body;
  switch_to(target);
  UNREACHABLE("an ended fiber was resumed");
}

void Scheduler::end(FiberBody* body) {
  body->state = FiberState::kEnded;
  disarm(body);
  Fibers& process = *body->process;
  (body->newer != nullptr ? body->newer->older : process.last_) = body->older;
  if (body->older != nullptr) body->older->newer = body->newer;
  --process.live_;
  for (FiberBody* joiner : std::exchange(body->joiners, {})) wake(joiner);
}

// Ends one fiber now, on the caller's time.
void Scheduler::unwind(FiberBody* body) {
  CHECK_MSG(body->state != FiberState::kRunning, "a fiber is unwound by what it unwinds");
  body->killed = true;
  if (body->state == FiberState::kNew) {
    run_queue_.remove(body);
    end(body);
    body->main = nullptr;
    release(body);
    return;
  }
  if (body->state == FiberState::kRunnable) run_queue_.remove(body);
  FiberBody* self = current_;
  const FiberState before = self->state;
  body->return_to = self;
  // The exceptions in flight belong to a stack: ours (if we are in a destructor that is itself
  // being unwound) must not be taken for the body's.
  struct Exceptions {
    void* caught;
    unsigned int uncaught;
  };
  auto* exceptions = reinterpret_cast<Exceptions*>(abi::__cxa_get_globals());
  const Exceptions ours = std::exchange(*exceptions, Exceptions{});
  switch_to(body);
  *exceptions = ours;
  self->state = before;
}

void Scheduler::release(FiberBody* body) {
  CHECK(body->references > 0);
  if (--body->references == 0) delete body;
}

}  // namespace seatrial::os
