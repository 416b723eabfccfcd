#!/usr/bin/env python3
"""Checks that the libraries of system/ (all but linux/) call nothing of the operating system.

Reads the undefined symbols of static libraries, as `nm -uC` prints them: what is not in the
archive's objects must come from elsewhere, and these names must not.

  symbols.py LIBRARY.a...            exits with 1 if any of them calls what is banned
  symbols.py --must-offend LIB.a...  the control: exits with 1 unless each of them does
"""

import argparse
import os
import re
import subprocess
import sys

# Words after `use` are what the code should call instead.
BANNED = [
    (
        r"(?:accept4?|bind|connect|getaddrinfo|gethostby\w+|getpeername|getsockname|getsockopt"
        r"|listen|poll|ppoll|recv|recvfrom|recvmsg|select|send|sendmsg|sendto|setsockopt|shutdown"
        r"|socket|socketpair|epoll_\w+|eventfd|timerfd_\w+|io_uring_\w+|inet_\w+)",
        "os/network.h",
    ),
    (
        r"(?:open|openat|creat|close|read|write|readv|writev|pread|pwrite|preadv|pwritev|lseek"
        r"|fsync|fdatasync|sync_file_range|sync|syncfs|ftruncate|truncate|rename|renameat2?|unlink"
        r"|unlinkat|mkdir|mkdirat|rmdir|remove|link|symlink|l?stat|fstat|fstatat|opendir|fdopendir"
        r"|readdir|flock|fcntl|ioctl|dup[23]?|pipe2?|fallocate|mkstemp|tmpfile|fopen|fdopen"
        r"|freopen)(?:64)?",
        "os/disk.h",
    ),
    (r"mmap(?:64)?|munmap|mprotect|madvise|mremap|msync|shm_open", "plain memory"),
    (
        r"clock_\w+|gettimeofday|time|clock|nanosleep|usleep|sleep|alarm|setitimer|timer_\w+"
        r"|localtime(?:_r)?|std::chrono::_V2::\w+_clock::now\(\)",
        "os/clock.h",
    ),
    (
        r"fork|vfork|clone3?|_?exec[lv]\w*|posix_spawn\w*|wait|waitpid|wait4|waitid|kill|raise"
        r"|signal|sigaction|getpid|gettid|system|popen|prctl|daemon|setsid",
        "os/process.h",
    ),
    (
        r"getrandom|getentropy|rand|srand|rand_r|random|srandom|[dlmn]rand48|arc4random\w*"
        r"|std::random_device::.*",
        "os/random.h",
    ),
    (
        r"pthread_(?:create|join|detach|cancel|mutex_\w+|cond_\w+|rwlock_\w+|key_\w+|once)"
        r"|thrd_\w+|sem_\w+|sched_yield|std::thread::.*|std::this_thread::.*|std::mutex::.*"
        r"|std::condition_variable::.*|__cxa_thread_atexit|__tls_get_addr",
        "os/fiber.h and os/sync.h",
    ),
    (
        r"std::(?:__cxx11::)?basic_(?:[io]?fstream|filebuf)<.*|std::filesystem::.*",
        "os/disk.h",
    ),
    (r"getenv|secure_getenv|setenv|putenv|setlocale|syscall|dlopen|dlsym", "an argument"),
    (r"__errno_location", "Result<T> of base/error.h"),
]

# Library: what it may call nonetheless. fiber.cc maps its stacks, with a guard page below each.
ALLOWED = {"seatrial_os": r"mmap(?:64)?|munmap|mprotect|madvise"}


def offences(symbols, library):
    """(symbol, what to use instead) for those of `symbols` that the library must not call."""
    allowed = ALLOWED.get(library)
    found = []
    for symbol in sorted(set(symbols)):
        plain = symbol.split("@")[0]
        if allowed and re.fullmatch(allowed, plain):
            continue
        for pattern, instead in BANNED:
            if re.fullmatch(pattern, plain):
                found.append((plain, instead))
                break
    return found


def undefined_symbols(path):
    """The archive's undefined symbols, less those that another of its objects defines."""
    output = subprocess.run(
        ["nm", "-C", path], capture_output=True, text=True, check=True
    ).stdout
    defined, undefined = set(), set()
    for line in output.splitlines():
        match = re.match(r"\s*[0-9a-f]*\s+([A-Za-z])\s(.*)$", line)
        if match:
            (undefined if match.group(1) in "Uw" else defined).add(match.group(2))
    return undefined - defined


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--must-offend", action="store_true")
    parser.add_argument("libraries", nargs="+")
    arguments = parser.parse_args()
    good = True
    for path in arguments.libraries:
        library = re.sub(r"^lib|\.a$", "", os.path.basename(path))
        symbols = undefined_symbols(path)
        found = offences(symbols, library)
        print(f"{library}: {len(symbols)} undefined symbols, {len(found)} banned")
        for symbol, instead in found:
            print(f"  {symbol} is banned in {library}, use {instead}")
        good = good and bool(found) == arguments.must_offend
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
