#include "analyzer/export/speedscope.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyzer/export/frame_name.h"
#include "analyzer/export/json_text.h"

namespace seep::exporters {
namespace {

constexpr std::size_t kPieceBytes = 1 << 16;

std::string frame_json(const model::ReportFrame& frame) {
  std::string json = "{\"name\":" + json_text(frame_name(frame));
  if (frame.file) {
    json += ",\"file\":" + json_text(*frame.file);
  }
  if (frame.line) {
    json += fmt::format(",\"line\":{}", *frame.line);
  }
  return json + '}';
}

std::uint64_t weight_of(const Sample& sample) {
  return sample.now.live_bytes - std::min(sample.now.live_bytes, sample.before.live_bytes);
}

class Writer {
 public:
  Writer(const Profile& profile, const Write& write) : profile_(profile), write_(write) {}

  void run() {
    add(R"({"$schema":"https://www.speedscope.app/file-format-schema.json","exporter":"seep",)");
    add_frames();
    add(",\"profiles\":[");
    for (std::uint32_t process = 0; process < profile_.processes.size(); ++process) {
      add(process == 0 ? "\n" : ",\n");
      add_process(process);
    }
    add("]}\n");
    write_(piece_);
  }

 private:
  void add(std::string_view text) {
    piece_ += text;
    if (piece_.size() >= kPieceBytes) {
      write_(piece_);
      piece_.clear();
    }
  }

  // Each frame once: speedscope takes frames of one name, file and line for one.
  void add_frames() {
    frames_of_place_.resize(profile_.places.size());
    add("\"shared\":{\"frames\":[");
    std::unordered_map<std::string, std::uint32_t> known;
    for (std::size_t place = 1; place < profile_.places.size(); ++place) {
      const model::ReportStack& frames = profile_.places[place].frames;
      for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) {
        const auto [entry, is_new] = known.try_emplace(frame_json(*frame), known.size());
        if (is_new) {
          add(entry->second == 0 ? "\n" : ",\n");
          add(entry->first);
        }
        frames_of_place_[place].push_back(entry->second);
      }
    }
    add("]}");
  }

  void add_process(std::uint32_t number) {
    std::vector<const Sample*> samples;
    std::uint64_t sum = 0;
    for (const Sample& sample : profile_.samples) {
      if (sample.process == number && weight_of(sample) != 0) {
        samples.push_back(&sample);
        sum += weight_of(sample);
      }
    }
    std::stable_sort(samples.begin(), samples.end(), [](const Sample* a, const Sample* b) {
      return weight_of(*a) > weight_of(*b);
    });
    add(fmt::format(
        R"({{"type":"sampled","name":{},"unit":"bytes","startValue":0,"endValue":{},"samples":[)",
        json_text(profile_.processes[number].id), sum));
    for (const Sample* sample : samples) {
      add(sample == samples.front() ? "\n" : ",\n");
      add_stack(sample->node);
    }
    add("],\"weights\":[");
    for (const Sample* sample : samples) {
      add(sample == samples.front() ? "" : ",");
      add(fmt::to_string(weight_of(*sample)));
    }
    add("]}");
  }

  // Outermost first.
  void add_stack(std::uint32_t node) {
    std::vector<std::uint32_t> places;
    for (; node != 0; node = profile_.nodes[node].parent) {
      places.push_back(profile_.nodes[node].place);
    }
    std::string stack = "[";
    for (auto place = places.rbegin(); place != places.rend(); ++place) {
      for (const std::uint32_t frame : frames_of_place_[*place]) {
        fmt::format_to(std::back_inserter(stack), "{}{}", stack.size() == 1 ? "" : ",", frame);
      }
    }
    add(stack + ']');
  }

  const Profile& profile_;
  const Write& write_;
  std::string piece_;
  std::vector<std::vector<std::uint32_t>> frames_of_place_;  // outermost first
};

}  // namespace

void write_speedscope(const Profile& profile, const Write& write) {
  Writer(profile, write).run();
}

}  // namespace seep::exporters
