#include <algorithm>

#include "analyzer/compare/stack.h"

namespace seep::compare {
namespace {

constexpr unsigned kMostLinesOff = 4;  // of a call that spans lines
constexpr double kInlinedFactor = 0.25;
constexpr double kReplacedFactor = 3;
constexpr std::size_t kMostInlined = 16;  // frames that one frame of a simpler tool stands for

enum class SamePlace { kUnknown, kOther, kNear, kYes };

struct Place {
  SamePlace same = SamePlace::kUnknown;
  unsigned lines_off = 0;
};

bool same_file(const Frame& a, const Frame& b) {
  const auto [in_a, in_b] =
      std::mismatch(a.path.rbegin(), a.path.rend(), b.path.rbegin(), b.path.rend());
  if (in_a == a.path.rbegin()) {
    return false;
  }
  // One path ends the other, or both lie in equal folders of two checkouts.
  return in_a == a.path.rend() || in_b == b.path.rend() || in_a - a.path.rbegin() >= 2;
}

Place compare_places(const Frame& a, const Frame& b) {
  if (a.path.empty() || b.path.empty()) {
    return {};
  }
  const unsigned off = std::max(a.line, b.line) - std::min(a.line, b.line);
  if (!same_file(a, b) || off > kMostLinesOff) {
    // A file moved from one folder to another keeps its name and its lines.
    const bool moved = a.path.back() == b.path.back() && off == 0;
    return {moved ? SamePlace::kNear : SamePlace::kOther, kMostLinesOff};
  }
  return {off == 0 ? SamePlace::kYes : SamePlace::kNear, off};
}

// A return address or the call before it.
bool is_near(std::uint64_t a, std::uint64_t b) {
  return std::max(a, b) - std::min(a, b) <= 1;
}

double alike_by_address(const Frame& a, const Frame& b) {
  if (!a.module.empty() && !b.module.empty() && a.module != b.module) {
    return 0;
  }
  if (a.offset && b.offset) {
    return is_near(*a.offset, *b.offset) ? 1 : 0;
  }
  if (a.page_offset && b.page_offset) {
    return is_near(*a.page_offset, *b.page_offset) ? 0.8 : 0;
  }
  return a.module.empty() || b.module.empty() ? 0 : 0.3;
}

// Of frames with one name.
double alike_by_place(const Frame& a, const Frame& b, const Place& place) {
  switch (place.same) {
    case SamePlace::kUnknown:
      return a.module.empty() || b.module.empty() || a.module == b.module ? 0.9 : 0.5;
    case SamePlace::kOther:
      return 0;
    case SamePlace::kNear:
      return 1 - 0.1 * place.lines_off;
    case SamePlace::kYes:
      break;
  }
  return 1;
}

// The best way to lay the first frames of both beside each other, by how the last step was done.
enum Step { kPaired, kOnlyA, kOnlyB, kSteps };

struct Cell {
  bool reached = false;
  Likeness likeness;

  [[nodiscard]] double value() const { return likeness.matched - likeness.missed; }
};

class Alignment {
 public:
  Alignment(const Stack& a, const Stack& b)
      : a_(a), b_(b), cells_((a.size() + 1) * (b.size() + 1) * kSteps) {
    cell(0, 0, kPaired).reached = true;
  }

  Likeness best() {
    for (std::size_t i = 0; i <= a_.size(); ++i) {
      for (std::size_t j = 0; j <= b_.size(); ++j) {
        for (const Step step : {kPaired, kOnlyA, kOnlyB}) {
          go_on(i, j, step);
        }
      }
    }
    return best_;
  }

 private:
  Cell& cell(std::size_t i, std::size_t j, Step step) {
    return cells_[(i * (b_.size() + 1) + j) * kSteps + step];
  }

  void go_on(std::size_t i, std::size_t j, Step step) {
    const Cell from = cell(i, j, step);
    if (!from.reached) {
      return;
    }
    const bool ends_a = i == a_.size();
    const bool ends_b = j == b_.size();
    if ((ends_a && ends_b) || ((ends_a || ends_b) && step == kPaired)) {
      offer(from.likeness);
    }
    if (!ends_a) {
      skip(from, a_[i], step == kOnlyB, cell(i + 1, j, kOnlyA));
    }
    if (!ends_b) {
      skip(from, b_[j], step == kOnlyA, cell(i, j + 1, kOnlyB));
    }
    if (!ends_a && !ends_b) {
      pair(from, i, j);
      stand_for_several(from, a_[i], b_, j,
                        [&](std::size_t last) -> Cell& { return cell(i + 1, last + 1, kPaired); });
      stand_for_several(from, b_[j], a_, i,
                        [&](std::size_t last) -> Cell& { return cell(last + 1, j + 1, kPaired); });
    }
  }

  static void improve(Cell& cell, const Likeness& likeness) {
    const Cell offered{true, likeness};
    if (!cell.reached || offered.value() > cell.value()) {
      cell = offered;
    }
  }

  static void skip(const Cell& from, const Frame& frame, bool replaced, Cell& to) {
    const double factor = frame.inlined ? kInlinedFactor : replaced ? kReplacedFactor : 1;
    improve(to, {from.likeness.matched, from.likeness.missed + frame.weight * factor});
  }

  void pair(const Cell& from, std::size_t i, std::size_t j) {
    const double same = alike(a_[i], b_[j]);
    if (same > 0) {
      const double weight = a_[i].weight + b_[j].weight;
      improve(cell(i + 1, j + 1, kPaired),
              {from.likeness.matched + weight * same, from.likeness.missed + weight * (1 - same)});
    }
  }

  // `one` has the line of `several[first]` and the function of one further out, into which those
  // before it are inlined.
  template <typename To>
  static void stand_for_several(const Cell& from, const Frame& one, const Stack& several,
                                std::size_t first, const To& to) {
    if (!one.function || compare_places(one, several[first]).same != SamePlace::kYes) {
      return;
    }
    double weight = one.weight + several[first].weight;
    const std::size_t end = std::min(several.size(), first + kMostInlined);
    for (std::size_t last = first + 1; last < end; ++last) {
      weight += several[last].weight;
      if (several[last].function &&
          compare_names(*one.function, *several[last].function) == SameName::kYes) {
        improve(to(last), {from.likeness.matched + weight, from.likeness.missed});
        return;
      }
    }
  }

  void offer(const Likeness& likeness) {
    const bool better = likeness.score() > best_.score() ||
                        (likeness.score() == best_.score() && likeness.matched > best_.matched);
    best_ = better ? likeness : best_;
  }

  const Stack& a_;
  const Stack& b_;
  std::vector<Cell> cells_;
  Likeness best_;
};

}  // namespace

double alike(const Frame& a, const Frame& b) {
  const Place place = compare_places(a, b);
  if (!a.function || !b.function) {
    return place.same == SamePlace::kYes ? 1 : alike_by_address(a, b);
  }
  switch (compare_names(*a.function, *b.function)) {
    case SameName::kNo:
      return place.same == SamePlace::kYes ? 0.5 : 0;
    case SameName::kOtherInstance:
      return place.same == SamePlace::kYes || place.same == SamePlace::kUnknown ? 0.3 : 0;
    case SameName::kYes:
      break;
  }
  return alike_by_place(a, b, place);
}

Likeness likeness(const Stack& a, const Stack& b) {
  return Alignment(a, b).best();
}

}  // namespace seep::compare
