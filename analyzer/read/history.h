// Puts the snapshots of one process image together to a recording, one after the other, so that
// only the last one's stacks are in memory.
#pragma once

#include <cstddef>
#include <utility>

#include "analyzer/model/recording.h"

namespace seep::read {

// Whether both come from the same process image.
bool same_image(const model::ProcessInfo& a, const model::ProcessInfo& b);

// Whether both stand for the same thing, in trees whose numbers mean the same.
bool same_frame(const model::Node& a, const model::Node& b);
bool same_file(const model::Module& a, const model::Module& b);
bool same_script_frame(const model::ScriptFrame& a, const model::ScriptFrame& b);

class HistoryBuilder {
 public:
  // Room is kept for so many snapshots.
  explicit HistoryBuilder(std::size_t expected) : expected_(expected) {}

  // Snapshots of one image in ascending order; false when this one is of another image or not
  // later than the one before, and then it is not taken.
  bool add(model::Snapshot snapshot);

  [[nodiscard]] bool empty() const { return recording_.moments.empty(); }

  // The recording, with id, path and skipped left empty. The builder is done then.
  model::Recording take();

 private:
  bool extended_by(const model::Snapshot& snapshot) const;
  void rematch(const model::Snapshot& snapshot);
  void append_figures(const model::Snapshot& snapshot);

  std::size_t expected_;
  model::Recording recording_;
};

}  // namespace seep::read
