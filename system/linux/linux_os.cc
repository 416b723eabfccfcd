// One process of a node: its parts put together, its first fiber, and its end; the same for a
// node that is started and for a child of fork.
#include "linux/linux_os.h"

#include "linux/parts.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

namespace seatrial::linux {
namespace {

// Where a failed CHECK is written: it may fail where no Os is at hand.
base::Log* g_log = nullptr;

void log_failed_check(const base::CheckFailure& failure) {
  if (g_log != nullptr) g_log->error("{}", base::to_string(failure));
}

class LinuxOs {
 public:
  static Result<std::unique_ptr<LinuxOs>> make(ChildStart start, unsigned disk_threads) {
    auto loop = TRY(Dispatcher::make());
    std::unique_ptr<LinuxOs> self(new LinuxOs(std::move(loop)));
    Dispatcher& dispatcher = *self->dispatcher_;
    os::Fibers& fibers = *self->fibers_;
    self->log_ = TRY(make_log(start.options));
    self->workers_ = TRY(Workers::make(dispatcher, fibers, disk_threads));
    self->clock_ = make_clock(dispatcher, fibers);
    self->network_ = make_network(dispatcher, fibers);
    self->disk_ = make_disk(*self->workers_, start.working_directory);
    self->process_ = TRY(make_process(dispatcher, fibers, start));
    self->random_ = make_random();
    self->chaos_ = make_chaos();
    return self;
  }

  Result<std::unique_ptr<os::Stream>> link(Descriptor end) {
    return make_link(*dispatcher_, *fibers_, std::move(end));
  }

  int run(std::move_only_function<int(os::Os&)> main) {
    os::Os os{*clock_, *fibers_, *network_, *disk_, *process_, *random_, *chaos_, *log_};
    base::Log* const log_before = std::exchange(g_log, log_.get());
    const base::CheckHandler handler_before = base::set_check_handler(&log_failed_check);
    int code = 0;
    fibers_->spawn("main", [&] {
      code = main(os);
      // Nothing of the node runs after this.
      fibers_->pause();
      dispatcher_->stop();
    });
    scheduler_.run();
    workers_->stop();
    fibers_->kill();
    base::set_check_handler(handler_before);
    g_log = log_before;
    return code;
  }

 private:
  explicit LinuxOs(std::unique_ptr<Dispatcher> dispatcher)
      : dispatcher_(std::move(dispatcher)),
        scheduler_(*dispatcher_),
        fibers_(std::make_unique<os::Fibers>(scheduler_)) {
    dispatcher_->serve(scheduler_);
  }

  std::unique_ptr<Dispatcher> dispatcher_;
  os::Scheduler scheduler_;
  std::unique_ptr<os::Fibers> fibers_;
  std::unique_ptr<base::Log> log_;
  std::unique_ptr<Workers> workers_;
  std::unique_ptr<os::Clock> clock_;
  std::unique_ptr<os::Network> network_;
  std::unique_ptr<os::Disk> disk_;
  std::unique_ptr<os::Process> process_;
  std::unique_ptr<os::Random> random_;
  std::unique_ptr<os::Chaos> chaos_;
};

// SIGTERM and SIGINT wait for the signal descriptor, SIGPIPE is nobody's business, and ended
// children stay known (who started us may have asked otherwise); all as before when this goes.
class Signals {
 public:
  Signals() {
    sigset_t stops;
    sigemptyset(&stops);
    sigaddset(&stops, SIGTERM);
    sigaddset(&stops, SIGINT);
    CHECK(pthread_sigmask(SIG_BLOCK, &stops, &mask_before_) == 0);
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    CHECK(sigaction(SIGPIPE, &ignore, &pipe_before_) == 0);
    struct sigaction keep {};
    keep.sa_handler = SIG_DFL;
    CHECK(sigaction(SIGCHLD, &keep, &child_before_) == 0);
  }
  ~Signals() {
    sigaction(SIGCHLD, &child_before_, nullptr);
    sigaction(SIGPIPE, &pipe_before_, nullptr);
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  sigset_t mask_before_{};
  struct sigaction pipe_before_ {};
  struct sigaction child_before_ {};
};

// The parent's sockets, files and epoll are not the child's: while it held a copy of them, a
// port would stay taken and a connection open after the parent's end.
void close_all_but(std::array<int, 2> kept) {
  std::ranges::sort(kept);
  unsigned first = 3;
  for (const int fd : kept) {
    const auto keep = static_cast<unsigned>(fd);
    if (fd < 0 || keep < first) continue;
    if (keep > first) CHECK(close_range(first, keep - 1, 0) == 0);
    first = keep + 1;
  }
  CHECK(close_range(first, ~0U, 0) == 0);
}

}  // namespace

Result<int> run(const LinuxOptions& options, std::move_only_function<int(os::Os&)> main) {
  if (options.disk_threads == 0) {
    return base::fail(Errc::kInvalidArgument, "disk_threads: at least one is needed");
  }
  const Signals signals;
  Descriptor directory;
  if (!options.working_directory.empty()) {
    directory =
        Descriptor(::open(options.working_directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return fail_with(errno, "working directory " + options.working_directory);
  }
  auto os =
      TRY(LinuxOs::make({options, directory ? directory.get() : AT_FDCWD}, options.disk_threads));
  return os->run(std::move(main));
}

// The stop signals stay blocked from the parent on, so none is lost before the child's own signal
// descriptor is there. The parent's objects are left alone: their threads and epoll are not here.
void run_child(const ChildStart& start, const os::Snapshot& data, os::LinkedChildMain child,
               Descriptor link) {
  const auto give_up = [](const Error& error) {
    if (g_log != nullptr) g_log->error("fork: {}", error.message());
    ::_exit(1);
  };
  close_all_but({start.working_directory, link.get()});
  auto os = LinuxOs::make(start, 0);
  if (!os) give_up(os.error());
  Result<std::unique_ptr<os::Stream>> parent = nullptr;
  if (link) parent = (*os)->link(std::move(link));
  if (!parent) give_up(parent.error());
  const int code = (*os)->run([&](os::Os& own) { return child(own, data, *std::move(parent)); });
  ::_exit(code);
}

}  // namespace seatrial::linux
