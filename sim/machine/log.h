// A simulated process's log: lines go to the world's listener, stamped with virtual time. They are
// no part of the hash, since the level is the viewer's choice.
#pragma once

#include "base/log.h"

namespace seatrial::sim {

class SimProcess;

class SimLog : public base::Log {
 public:
  explicit SimLog(SimProcess& process) : process_(process) { set_level(base::LogLevel::kDebug); }

 protected:
  void line(base::LogLevel level, std::string_view text) override;

 private:
  SimProcess& process_;
};

}  // namespace seatrial::sim
