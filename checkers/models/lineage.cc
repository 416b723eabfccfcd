#include "checkers/models/lineage.h"

#include "base/check.h"

#include <fmt/format.h>

#include <algorithm>

namespace seatrial::checkers {
namespace {

using Log = PrefixLife::Log;

Log log_of(std::string_view name) {
  if (name == "always") return Log::kAlways;
  if (name == "everysec") return Log::kEverySecond;
  return name == "no" ? Log::kNo : Log::kOff;
}

bool is_data(const Operation& operation) {
  return operation.function == Function::kWrite || operation.function == Function::kView;
}

// Whether its answer says that what it shows is kept. While their log cannot be written, all
// policies but "always" go on to show writes that were not answered.
bool keeps(const PrefixLife& life, const Operation& operation) {
  return operation.function == Function::kWrite ||
         (operation.function == Function::kView && life.log == Log::kAlways);
}

void raise(PrefixSight& most, const PrefixSight& sight) {
  if (sight.place > most.place) most = sight;
}

Micros milliseconds_of(const Value& object, std::string_view name) {
  return std::chrono::milliseconds(object.find(name)->as_integer());
}

}  // namespace

Lineage::Lineage(const History& history) : history_(history) { split_lives(); }

void Lineage::find(std::string_view anomaly, std::string summary,
                   std::vector<OperationId> operations) {
  if (!finding_) finding_ = {anomaly, std::move(summary), std::move(operations)};
}

size_t Lineage::life_of(const Operation& operation) const {
  const auto after =
      std::ranges::upper_bound(lives_, operation.invoke_at, {}, &PrefixLife::start_at);
  return after == lives_.begin() ? 0 : static_cast<size_t>(after - lives_.begin()) - 1;
}

size_t Lineage::place_of(const Operation& operation) {
  const Value& place = operation.function == Function::kWrite ? operation.result.items()[0]
                                                              : *operation.result.find("place");
  return place.as_integer() < 0 ? 0 : static_cast<size_t>(place.as_integer());
}

// A history without starts is one life, which promises everything.
void Lineage::split_lives() {
  for (const Operation& operation : history_.operations()) {
    if (operation.function == Function::kStart) {
      PrefixLife& life = lives_.emplace_back();
      life.number = lives_.size() - 1;
      life.log = log_of(operation.argument.find("log")->as_text());
      life.window = milliseconds_of(operation.argument, "window_ms");
      life.late = milliseconds_of(operation.argument, "late_ms");
      life.start_at = operation.invoke_at;
    } else if (operation.function == Function::kStop && !lives_.empty()) {
      PrefixLife& life = lives_.back();
      life.end = std::min(life.end, operation.invoke_time);
      const std::string_view how = operation.argument.as_text();
      life.power_lost |= how == "power";
      life.saved_last |= how == "end-saved";
      life.all_kept |= how == "end-saved" || (how == "end" && life.log != Log::kOff);
    }
  }
  if (lives_.empty()) lives_.emplace_back();
  for (const Operation& operation : history_.operations()) {
    if (!operation.ok() || operation.function == Function::kStart ||
        operation.function == Function::kStop) {
      continue;
    }
    PrefixLife& life = lives_[life_of(operation)];
    life.answered.push_back(&operation);
    if (operation.function == Function::kView) life.views.push_back(&operation);
  }
}

void Lineage::trace() {
  learn_all();
  // What a life shows of earlier ones' writes, all those between had as well.
  for (size_t i = lives_.size(); i-- > 1 && !finding_;) carry_back(lives_[i], lives_[i - 1]);
  if (!finding_) carry_promises();
}

bool Lineage::served(const PrefixLife& life) {
  return std::ranges::any_of(life.answered,
                             [](const Operation* operation) { return is_data(*operation); });
}

void Lineage::learn_all() {
  for (PrefixLife& life : lives_) {
    learn_answers(life);
    if (!finding_) check_real_time(life);
    if (!finding_) bound_inheritance(life);
    if (finding_) return;
  }
}

void Lineage::carry_promises() {
  PrefixSight must;
  PrefixLife* last = nullptr;  // That answered anything.
  for (size_t i = 0; i < lives_.size(); i++) {
    check_promise(must, lives_[i]);
    if (finding_) return;
    remember(lives_[i], must);
    if (i > 0) carry_forth(lives_[i - 1], lives_[i]);
    if (served(lives_[i])) last = &lives_[i];
    if (last == nullptr) continue;
    // One that answered nothing may die with what the one before had left.
    last->power_lost |= lives_[i].power_lost;
    must = promised(*last);
  }
}

// ---- One life

void Lineage::learn_answers(PrefixLife& life) {
  for (const Operation* operation : life.answered) {
    if (operation->function == Function::kWrite) {
      if (operation->result.items()[0].as_integer() < 1) {
        find("garbage",
             fmt::format("write {} was given the place {}", operation->id,
                         operation->result.items()[0].json()),
             {operation->id});
        return;
      }
      learn(life, place_of(*operation), *operation, *operation);
    } else if (operation->function == Function::kView) {
      learn_order(life, *operation);
    }
    if (finding_) return;
  }
}

void Lineage::learn_order(PrefixLife& life, const Operation& view) {
  const std::span<const Value> order = view.result.find("order")->items();
  if (order.size() != place_of(view)) {
    return find("torn-view",
                fmt::format("view {} shows {} writes, but {} in their order", view.id,
                            place_of(view), order.size()),
                {view.id});
  }
  std::map<int64_t, size_t> places;
  for (size_t i = 0; i < order.size() && !finding_; i++) {
    const int64_t id = order[i].as_integer();
    const Operation* write = history_.find(id);
    if (write == nullptr || write->function != Function::kWrite ||
        write->invoke_at > view.complete_at) {
      return find("garbage",
                  fmt::format("view {} shows write {} at place {}, which nobody had asked for",
                              view.id, id, i + 1),
                  {view.id});
    }
    if (const auto [other, is_new] = places.emplace(id, i + 1); !is_new) {
      return find("duplicate-write",
                  fmt::format("view {} shows write {} at places {} and {}", view.id, id,
                              other->second, i + 1),
                  {id, view.id});
    }
    learn(life, i + 1, *write, view);
  }
}

void Lineage::check_write(const PrefixLife& life, size_t place, const Operation& write,
                          const Operation& shown_by) {
  if (write.failed()) {
    find("aborted-write",
         fmt::format("{} shows write {} at place {}, which had failed", shown_by.id, write.id,
                     place),
         {write.id, shown_by.id});
  } else if (write.ok() && place_of(write) != place) {
    find("misplaced",
         fmt::format("{} shows write {} at place {}, its answer was {}", shown_by.id, write.id,
                     place, place_of(write)),
         {write.id, shown_by.id});
  } else if (life_of(write) > life.number) {
    find("garbage",
         fmt::format("{} shows write {}, which a later life was asked for", shown_by.id, write.id),
         {write.id, shown_by.id});
  }
}

void Lineage::learn(PrefixLife& life, size_t place, const Operation& write,
                    const Operation& shown_by) {
  check_write(life, place, write, shown_by);
  if (finding_) return;
  // A place that no history can reach would only cost memory.
  if (place > history_.operations().size()) {
    return find("garbage",
                fmt::format("{} shows place {}, but there are {} operations in all", shown_by.id,
                            place, history_.operations().size()),
                {shown_by.id});
  }
  if (life.order.size() < place) {
    life.order.resize(place);
    life.shown_by.resize(place);
  }
  const Operation*& known = life.order[place - 1];
  if (known != nullptr && known != &write) {
    return find("misplaced",
                fmt::format("place {} is write {} in {}, and write {} in {}", place, known->id,
                            life.shown_by[place - 1]->id, write.id, shown_by.id),
                {known->id, life.shown_by[place - 1]->id, write.id, shown_by.id});
  }
  if (known != nullptr) return;
  known = &write;
  life.shown_by[place - 1] = &shown_by;
  if (!write.ok()) check_unknown(place, write, shown_by);
}

// It took its place after it was asked for, so behind all that was answered by then.
void Lineage::check_unknown(size_t place, const Operation& write, const Operation& shown_by) {
  for (const Operation* earlier : lives_[life_of(write)].answered) {
    if (!is_data(*earlier) || !earlier->precedes(write) || place_of(*earlier) < place) continue;
    return find("place-order",
                fmt::format("{} had shown {} writes before write {} was asked for, which {} shows "
                            "at place {}",
                            earlier->id, place_of(*earlier), write.id, shown_by.id, place),
                {earlier->id, write.id, shown_by.id});
  }
}

// Whoever is asked after an answer sees at least as much; a write comes after it.
void Lineage::check_real_time(const PrefixLife& life) {
  std::vector<const Operation*> by_completion;
  for (const Operation* operation : life.answered) {
    if (is_data(*operation)) by_completion.push_back(operation);
  }
  std::vector<const Operation*> by_invocation = by_completion;
  std::ranges::sort(by_completion, {}, &Operation::complete_at);
  size_t next = 0;
  const Operation* furthest = nullptr;
  for (const Operation* operation : by_invocation) {
    for (; by_completion[next]->complete_at < operation->invoke_at; ++next) {
      const bool further =
          furthest == nullptr || place_of(*by_completion[next]) > place_of(*furthest);
      if (further) furthest = by_completion[next];
    }
    if (furthest == nullptr) continue;
    const bool write = operation->function == Function::kWrite;
    const size_t least = place_of(*furthest) + (write ? 1 : 0);
    if (place_of(*operation) >= least) continue;
    return find(write ? "place-order" : "stale-view",
                fmt::format("{} had shown {} writes before {} was asked, which shows {}",
                            furthest->id, place_of(*furthest), operation->id, place_of(*operation)),
                {furthest->id, operation->id});
  }
}

// ---- From life to life

void Lineage::bound_inheritance(PrefixLife& life) {
  const auto bound = [&](size_t places, const Operation* shown_by) {
    if (places >= life.inherited_max) return;
    life.inherited_max = places;
    life.bounded_by = shown_by;
  };
  for (size_t place = 1; place <= life.order.size(); place++) {
    const Operation* const write = life.order[place - 1];
    if (write == nullptr) continue;
    if (life_of(*write) == life.number) {
      bound(place - 1, life.shown_by[place - 1]);
    } else if (place > life.inherited_max) {
      return find("misplaced",
                  fmt::format("write {} of an earlier life stands at place {}, behind one of this "
                              "life",
                              write->id, place),
                  {write->id, life.shown_by[place - 1]->id});
    } else {
      life.inherited_min = place;
    }
  }
  for (const Operation* view : life.views) bound(place_of(*view), view);
  if (life.inherited_min > life.inherited_max) {
    const Operation& shown_by = *life.shown_by[life.inherited_min - 1];
    find("stale-view",
         fmt::format("{} shows {} writes, but {} shows that this life began with {}",
                     life.bounded_by->id, life.inherited_max, shown_by.id, life.inherited_min),
         {shown_by.id, life.bounded_by->id});
  }
}

void Lineage::carry_back(const PrefixLife& life, PrefixLife& before) {
  for (size_t place = 1; place <= life.inherited_min; place++) {
    const Operation* const write = life.order[place - 1];
    if (write == nullptr) continue;
    check_carried(before, place, *write, *life.shown_by[place - 1]);
    if (finding_) return;
    if (before.order.size() < place) {
      before.order.resize(place);
      before.shown_by.resize(place);
    }
    if (before.order[place - 1] != nullptr) continue;
    before.order[place - 1] = write;
    before.shown_by[place - 1] = life.shown_by[place - 1];
  }
  bound_inheritance(before);
}

void Lineage::check_carried(const PrefixLife& before, size_t place, const Operation& write,
                            const Operation& shown_by) {
  const Operation* const was = place <= before.order.size() ? before.order[place - 1] : nullptr;
  const bool older = life_of(write) < before.number;
  if (was != nullptr && was != &write) {
    const OperationId shown_before = before.shown_by[place - 1]->id;
    return find(older ? "resurrected-write" : "hole",
                fmt::format("place {} was write {} before the crash ({}), and is write {} after "
                            "it ({})",
                            place, was->id, shown_before, write.id, shown_by.id),
                {was->id, shown_before, write.id, shown_by.id});
  }
  // Behind where the life before had begun to write itself, nothing older can follow; and before
  // that, nothing of its own.
  if (was == nullptr && older && place > before.inherited_max) {
    return find("resurrected-write",
                fmt::format("{} shows write {} at place {}: the life before had started without "
                            "it",
                            shown_by.id, write.id, place),
                {write.id, shown_by.id});
  }
  if (was == nullptr && !older && place <= before.inherited_min) {
    return find("hole",
                fmt::format("{} shows write {} at place {}, where an older one had been",
                            shown_by.id, write.id, place),
                {write.id, shown_by.id});
  }
}

// Where it is certain that a life has begun with them, it has the writes that were there before.
void Lineage::carry_forth(const PrefixLife& before, PrefixLife& life) {
  const size_t known = std::min(life.inherited_min, before.order.size());
  if (life.order.size() < known) {
    life.order.resize(known);
    life.shown_by.resize(known);
  }
  for (size_t i = 0; i < known; i++) {
    if (life.order[i] != nullptr) continue;
    life.order[i] = before.order[i];
    life.shown_by[i] = before.shown_by[i];
  }
}

void Lineage::check_promise(const PrefixSight& must, const PrefixLife& life) {
  if (must.place <= life.inherited_max) return;
  find("lost-acknowledged",
       fmt::format("operation {} showed {} writes, which must outlast that crash; the next life "
                   "began with {} at most",
                   must.operation->id, must.place, life.inherited_max),
       {must.operation->id, life.bounded_by->id});
}

PrefixSight Lineage::promised(const PrefixLife& before) const {
  if (before.all_kept) return promised_by_end(before);
  if (before.log == Log::kOff) return saved_;
  if (before.power_lost && before.log == Log::kNo) return {};
  if (before.power_lost && before.log == Log::kEverySecond) return promised_by_time(before);
  PrefixSight most;
  for (const PrefixSight& sight : sights_) raise(most, sight);
  return most;
}

PrefixSight Lineage::promised_by_time(const PrefixLife& before) const {
  PrefixSight most;
  Micros last_write{Micros::min()};
  for (const Operation* operation : before.answered) {
    if (operation->function == Function::kWrite) {
      last_write = std::max(last_write, operation->invoke_time);
    }
  }
  for (const PrefixSight& sight : sights_) {
    const Operation& shown_by = *sight.operation;
    const bool long_ago = shown_by.complete_time + before.late < before.end;
    const bool far_apart =
        life_of(shown_by) == before.number && shown_by.complete_time + before.window < last_write;
    if (long_ago || far_apart) raise(most, sight);
  }
  return most;
}

// All that it had, whoever shows it.
PrefixSight Lineage::promised_by_end(const PrefixLife& before) {
  for (size_t place = before.order.size(); place > 0; place--) {
    if (before.order[place - 1] != nullptr) return {place, before.shown_by[place - 1]};
  }
  return {};
}

// What the next lives are told of this one and those before it: as much as it certainly had.
void Lineage::remember(PrefixLife& life, const PrefixSight& must) {
  life.inherited_min = std::max(life.inherited_min, must.place);
  for (PrefixSight& sight : sights_) sight.place = std::min(sight.place, life.inherited_min);
  std::erase_if(sights_, [](const PrefixSight& sight) { return sight.place == 0; });
  for (const Operation* operation : life.answered) {
    if (keeps(life, *operation)) sights_.push_back({place_of(*operation), operation});
  }
  remember_saves(life);
}

// A save holds what this life began with, and what was answered before it was asked for.
void Lineage::remember_saves(const PrefixLife& life) {
  saved_.place = std::min(saved_.place, life.inherited_min);
  for (const Operation* save : life.answered) {
    if (save->function != Function::kSave) continue;
    raise(saved_, {life.inherited_min, save});
    for (const Operation* operation : life.answered) {
      if (!is_data(*operation) || !operation->precedes(*save)) continue;
      raise(saved_, {place_of(*operation), operation});
    }
  }
  if (life.saved_last) raise(saved_, promised_by_end(life));
}

}  // namespace seatrial::checkers
