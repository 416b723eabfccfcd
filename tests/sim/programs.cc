#include "tests/sim/programs.h"
#include "base/check.h"

namespace seatrial::sim {

int echo_server(os::Os& os) {
  auto listener = os.network.listen({"", 7});
  CHECK(listener.has_value());
  os::FiberGroup connections(os.fibers);
  for (;;) {
    auto stream = (*listener)->accept();
    if (!stream) return 0;
    connections.spawn("echo", [s = std::move(*stream)] {
      char buffer[256];
      for (;;) {
        auto count = s->read(buffer);
        if (!count || *count == 0) return;
        if (!os::write_all(*s, {buffer, *count})) return;
      }
    });
  }
}

std::string echo_call(os::Os& os, std::string_view host, std::string_view text,
                      os::Duration patience) {
  const os::MonotonicTime deadline = os.clock.monotonic() + patience;
  auto stream = os.network.connect({std::string(host), 7}, deadline);
  if (!stream) return outcome(stream);
  if (auto written = os::write_all(**stream, text, deadline); !written) return outcome(written);
  std::string back;
  char buffer[64];
  while (back.size() < text.size()) {
    auto count = (*stream)->read(buffer, deadline);
    if (!count) return outcome(count);
    if (*count == 0) return "end of stream";
    back.append(buffer, *count);
  }
  return back;
}

std::string write_file(os::Os& os, std::string_view path, std::string_view text, bool sync) {
  auto file = os.disk.open(path, os::kOpenOrCreate);
  if (!file) return outcome(file);
  if (auto written = os::pwrite_all(**file, 0, text); !written) return outcome(written);
  if (!sync) return "ok";
  if (auto synced = (*file)->sync_data(); !synced) return outcome(synced);
  return outcome(os.disk.sync_directory(os::directory_of(path)));
}

std::string file_text(os::Os& os, std::string_view path) {
  auto text = os::read_file(os.disk, path, 1'000'000);
  return text ? *text : outcome(text);
}

}  // namespace seatrial::sim
