#include "scenarios/servers.h"

#include "broker/config.h"
#include "broker/server.h"
#include "kv/config.h"
#include "kv/server.h"
#include "scenarios/witness.h"

#include <fmt/format.h>

namespace seatrial::scenarios {
namespace {

class KvServerKind : public ServerKind {
 public:
  std::string_view name() const override { return "kv"; }
  uint16_t port() const override { return 6379; }
  std::vector<std::string> option(std::string_view setting, std::string_view value) const override {
    return {fmt::format("--{}", setting), std::string(value)};
  }

  Result<sim::MakeProcess> prepare(std::string_view node, std::span<const std::string> options,
                                   Witness* witness) const override {
    kv::Config config = TRY(kv::parse_config({}, {}, options));
    kv::Observer* const observer = witness == nullptr ? nullptr : witness->of_kv(node);
    return [config = std::move(config), observer]() -> sim::ProcessMain {
      return [config, observer](os::Os& os) { return kv::serve(os, config, observer); };
    };
  }
};

class BrokerServerKind : public ServerKind {
 public:
  std::string_view name() const override { return "broker"; }
  uint16_t port() const override { return 9092; }
  std::vector<std::string> option(std::string_view setting, std::string_view value) const override {
    return {fmt::format("{}={}", setting, value)};
  }

  Result<sim::MakeProcess> prepare(std::string_view, std::span<const std::string> options,
                                   Witness*) const override {
    broker::Config config = TRY(broker::parse_config({}, {}, options));
    return [config = std::move(config)]() -> sim::ProcessMain {
      return [config](os::Os& os) { return broker::serve(os, config); };
    };
  }
};

}  // namespace

const ServerKind* broker_server_kind() {
  static const BrokerServerKind kind;
  return &kind;
}

const ServerKind* kv_server_kind() {
  static const KvServerKind kind;
  return &kind;
}

Result<const ServerKind*> find_server_kind(std::string_view name) {
  static const ServerKind* const kinds[] = {broker_server_kind(), kv_server_kind()};
  std::string known;
  for (const ServerKind* kind : kinds) {
    if (kind->name() == name) return kind;
    known += fmt::format(" {}", kind->name());
  }
  return base::fail(base::Errc::kInvalidData,
                    fmt::format("no server is called \"{}\"; there are:{}", name, known));
}

}  // namespace seatrial::scenarios
