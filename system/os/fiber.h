// Fibers: the one scheduler of both machines.
//
// Node code is written in blocking style and runs on fibers. A fiber parks inside an os call and
// nowhere else, so what stands between two os calls is atomic. Each process of a node has one
// Fibers, which starts its fibers and ends them with it; one Scheduler runs the fibers of all
// processes in a machine (linux/: one process; sim/: all nodes of the world).
//
// Node code uses Fibers, Fiber and FiberGroup, and waits with sync.h. Dispatch and Scheduler are
// for the two machines.
//
// Ending: cancel() is a request; the parked call, and each one after it that could park, returns
// kCancelled (even if it need not park this time) and the fiber goes home by itself. Calls on the
// disk and the waits of sync.h that need not wait are the exceptions: they do their work. When
// its process is killed a fiber is unwound instead: its stack's destructors run, last started
// first, with an Os that does nothing any more. A destructor does not park (FiberGroup's may).
#pragma once

#include "base/error.h"
#include "os/time.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace seatrial::os {

using base::Result;

class Fibers;
class Scheduler;
namespace detail {
struct FiberBody;
class StackPool;
}  // namespace detail

// Why a park ended.
enum class Wake : unsigned char { kSignal, kDeadline, kCancelled };

// A handle; copies share the fiber, dropping it lets the fiber go on by itself.
class Fiber {
 public:
  Fiber() = default;
  Fiber(const Fiber& other);
  Fiber(Fiber&& other) noexcept : body_(std::exchange(other.body_, nullptr)) {}
  Fiber& operator=(Fiber other) noexcept {
    std::swap(body_, other.body_);
    return *this;
  }
  ~Fiber();

  explicit operator bool() const { return body_ != nullptr; }
  bool done() const;
  // Parks until the fiber has ended. Errors: kDeadline, kCancelled (of the caller).
  Result<void> join(MonotonicTime deadline = kNever);
  // Asks it to end; does not park.
  void cancel();

 private:
  friend class Fibers;
  explicit Fiber(detail::FiberBody* body);
  detail::FiberBody* body_ = nullptr;
};

using FiberMain = std::move_only_function<void()>;

// The fibers of one process.
class Fibers {
 public:
  explicit Fibers(Scheduler& scheduler);
  // Unwinds what still lives, last started first.
  ~Fibers();
  Fibers(const Fibers&) = delete;
  Fibers& operator=(const Fibers&) = delete;

  // Starts a fiber; it runs once the caller has parked. `name` is for people and traces.
  Fiber spawn(std::string_view name, FiberMain main);
  // Lets the others run; kCancelled if this fiber was asked to end.
  Result<void> yield();
  // Parks the calling fiber until somebody wakes it (Scheduler::wake), the deadline passes or it
  // is cancelled. The primitives of sync.h and the machines' calls are made of this.
  Wake park(MonotonicTime deadline = kNever);
  // Parks the calling fiber until somebody wakes it or the deadline passes, whatever cancel()
  // asks: for calls that have to see their end, like those on the disk. Only a kill ends it early.
  void park_uncancelled(MonotonicTime deadline = kNever);
  // Whether the calling fiber was asked to end, so that a call which could park has to fail.
  bool cancelled() const;
  // No other fiber of this process runs until let_others_go(), over whatever the caller parks in:
  // for what must see its data stand still. The caller must not wait for another fiber meanwhile.
  // Not to be nested.
  void hold_others();
  void let_others_go();

  Scheduler& scheduler() { return scheduler_; }
  size_t live() const { return live_; }

  // For the machines.
  void kill();    // As the destructor; the caller must not be one of them.
  void pause();   // None of them runs until
  void resume();  // this.
  // From here on none runs but those that let_one_go() names; Dispatch::rationed() hears of each
  // that could. For a machine whose processor is slow.
  void ration();
  void ration_no_more();
  // How many could go at once, and which of them goes (0: whoever has waited longest).
  size_t waiting() const;
  void let_one_go(size_t which);
  bool killed() const { return killed_; }
  void* owner = nullptr;  // The machine's own record of this process.
  // Names this process where the order is kShuffled; to be set before the first spawn.
  uint64_t key = 0;
  // This process's monotonic clock is not the scheduler's: ask Dispatch::translate() for each
  // deadline.
  bool own_clock = false;

 private:
  friend class Scheduler;
  friend class Fiber;
  friend struct detail::FiberBody;

  Scheduler& scheduler_;
  detail::FiberBody* last_ = nullptr;  // All not yet ended, newest first.
  bool holds(const detail::FiberBody* body) const;
  void let_go();

  std::vector<detail::FiberBody*> held_;
  const detail::FiberBody* alone_ = nullptr;  // The others stand still.
  size_t live_ = 0;
  // How many fibers of a name were spawned; by the name's hash.
  std::unordered_map<uint64_t, uint64_t> spawned_;
  // Why none of them runs by itself: bits.
  static constexpr unsigned char kPaused = 1;
  static constexpr unsigned char kRationed = 2;
  unsigned char stopped_ = 0;
  bool killed_ = false;
};

// Fibers that end together: the destructor cancels and joins them.
class FiberGroup {
 public:
  explicit FiberGroup(Fibers& fibers) : fibers_(fibers) {}
  ~FiberGroup();
  FiberGroup(const FiberGroup&) = delete;
  FiberGroup& operator=(const FiberGroup&) = delete;

  void spawn(std::string_view name, FiberMain main);
  void cancel();
  // Parks until all have ended.
  Result<void> join(MonotonicTime deadline = kNever);
  size_t live() const;

 private:
  void forget_ended();

  Fibers& fibers_;
  std::vector<Fiber> members_;
  size_t sweep_at_ = 16;
  bool ending_ = false;  // Whoever is spawned from now on is cancelled at once.
};

// What a machine decides for the scheduler.
class Dispatch {
 public:
  virtual ~Dispatch() = default;
  // The scheduler's time.
  virtual MonotonicTime now() = 0;
  // Nothing can run: wait for the outside until `deadline`, and wake whom it concerns. Returns
  // false to end Scheduler::run(). Called on whatever stack parked last.
  virtual bool idle(MonotonicTime deadline) = 0;
  // Looks at the outside without waiting; returns how many fibers may run before the next look,
  // at least one.
  virtual uint32_t poll() = 0;
  // A fiber of `process` goes on from here; nullptr: the caller of run(). `fiber` is the same
  // number in each run under equal keys (Fibers::key). For traces and traps.
  virtual void running(Fibers* process, uint64_t fiber) = 0;
  // The scheduler's time at which `deadline`, by the clock of `process`, will have passed.
  virtual MonotonicTime translate(Fibers&, MonotonicTime deadline) { return deadline; }
  // A fiber of a rationed process could run. May not run one, nor switch.
  virtual void rationed(Fibers&) {}
};

// Who runs next, of those who can.
enum class Order : unsigned char {
  kArrival,  // Who could run first.
  // By a number drawn for each wake of a fiber from its own name: its process's key, the fiber's
  // name, its number among those of that name, and how often it was woken. So the choice between
  // two fibers never depends on a third.
  kShuffled,
};

class Scheduler {
 public:
  // `stack_bytes`: of each fiber, without its guard page; reserved, used only as touched.
  // `stacks_kept`: of fibers that have ended, for those to come; of the others the system gets the
  // memory back.
  explicit Scheduler(Dispatch& dispatch, size_t stack_bytes = kStackBytes,
                     Order order = Order::kArrival, size_t stacks_kept = kStacksKept);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Runs fibers on the calling stack's time until idle() returns false. Not from a fiber.
  void run();

  // Makes a parked fiber runnable; false, and without effect, if it is not parked (any more).
  // Does not switch.
  bool wake(detail::FiberBody* body, Wake why = Wake::kSignal);
  // Gives every waiting deadline that has passed its due: by time, then in the order of parking.
  void expire(MonotonicTime now);
  // The earliest armed deadline, or a little earlier; kNever if there is none.
  MonotonicTime next_deadline() const { return timers_.empty() ? kNever : timers_.front().time; }

  detail::FiberBody* current() { return current_; }
  bool in_fiber() const;
  std::string_view name_of(const detail::FiberBody* body) const;
  // Among the fibers of its process that have its name: 0, 1, 2...
  uint64_t number_of(const detail::FiberBody* body) const;
  size_t runnable() const { return run_queue_.size(); }

  static constexpr size_t kStackBytes = 256 * 1024;
  static constexpr size_t kStacksKept = 1024;

 private:
  friend class Fibers;
  friend class Fiber;
  friend struct detail::FiberBody;

  struct Timer {
    MonotonicTime time;
    uint64_t order;
    detail::FiberBody* body;
    bool before(const Timer& other) const {
      return time != other.time ? time < other.time : order < other.order;
    }
  };
  // Who can run. Mostly that is one alone, who then is first in any order.
  class RunQueue {
   public:
    explicit RunQueue(Order order) : order_(order) {}
    bool empty() const { return only_ == nullptr && turns_.size() == head_; }
    size_t size() const { return turns_.size() - head_ + (only_ != nullptr ? 1 : 0); }
    void push(detail::FiberBody* body);
    detail::FiberBody* take();
    void remove(detail::FiberBody* body);
    // Moves the fibers of one process, in their order, to the end of `to`.
    void move_out(const Fibers* process, std::vector<detail::FiberBody*>& to);

   private:
    struct Turn {
      uint64_t drawn;  // kShuffled: the least comes first.
      detail::FiberBody* body;
    };
    void append(detail::FiberBody* body);
    // Puts all into `turns_`, from its beginning.
    void settle();
    // For the algorithms of <algorithm>, whose heaps have the greatest first.
    static bool later(const Turn& a, const Turn& b) { return a.drawn > b.drawn; }

    const Order order_;
    detail::FiberBody* only_ = nullptr;  // Nobody else is here.
    std::vector<Turn> turns_;            // kShuffled: a heap. kArrival: in order, from `head_` on.
    size_t head_ = 0;
  };

  Wake park(MonotonicTime deadline);
  void arm(detail::FiberBody* body);
  void disarm(detail::FiberBody* body);
  void place(size_t index, const Timer& timer);
  void sift_up(size_t index, const Timer& timer);
  void sift_down(size_t index, const Timer& timer);
  detail::FiberBody* next();
  void switch_to(detail::FiberBody* target);
  void make_runnable(detail::FiberBody* body);
  void settle();
  void end(detail::FiberBody* body);
  void unwind(detail::FiberBody* body);
  static void release(detail::FiberBody* body);
  // Where every fiber starts and ends; see fiber.cc for the real signature.
  [[noreturn]] void run_main(detail::FiberBody* body);

  Dispatch& dispatch_;
  std::unique_ptr<detail::StackPool> stacks_;
  std::unique_ptr<detail::FiberBody> root_;  // The caller of run().
  detail::FiberBody* current_;
  detail::FiberBody* ended_ = nullptr;  // Its stack is free once we stand on another.
  RunQueue run_queue_;
  std::vector<Timer> timers_;  // A binary heap; each body knows its place in it.
  uint64_t park_order_ = 0;
  uint64_t rests_ = 0;  // How often nobody could run.
  uint32_t picks_left_ = 0;
  bool stopping_ = false;
};

}  // namespace seatrial::os
