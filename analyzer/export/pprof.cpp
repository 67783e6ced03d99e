#include "analyzer/export/pprof.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyzer/export/frame_name.h"
#include "analyzer/export/gzip.h"
#include "analyzer/export/protobuf.h"
#include "analyzer/model/printable.h"

namespace seep::exporters {
namespace {

// Numbers of the fields in the public profile.proto, by message.
namespace profile_field {
constexpr unsigned kSampleType = 1, kSample = 2, kMapping = 3, kLocation = 4, kFunction = 5,
                   kString = 6, kTimeNanos = 9, kDurationNanos = 10, kPeriodType = 11, kPeriod = 12,
                   kDefaultSampleType = 14;
}
namespace value_type_field {
constexpr unsigned kType = 1, kUnit = 2;
}
namespace sample_field {
constexpr unsigned kLocationId = 1, kValue = 2, kLabel = 3;
}
namespace label_field {
constexpr unsigned kKey = 1, kText = 2, kNumber = 3;
}
namespace mapping_field {
constexpr unsigned kId = 1, kStart = 2, kLimit = 3, kFile = 5, kBuildId = 6, kHasFunctions = 7,
                   kHasFiles = 8, kHasLines = 9, kHasInlined = 10;
}
namespace location_field {
constexpr unsigned kId = 1, kMapping = 2, kAddress = 3, kLine = 4;
}
namespace line_field {
constexpr unsigned kFunction = 1, kLine = 2;
}
namespace function_field {
constexpr unsigned kId = 1, kName = 2, kSystemName = 3, kFile = 4;
}

constexpr std::size_t kPieceBytes = 1 << 16;

// The string table: [0] is empty.
class Strings {
 public:
  Strings() { number_of(""); }

  std::uint64_t number_of(const std::string& text) {
    const auto [known, is_new] = numbers_.try_emplace(text, texts_.size());
    if (is_new) {
      texts_.push_back(&known->first);  // nodes of the map stay where they are
    }
    return known->second;
  }

  [[nodiscard]] const std::vector<const std::string*>& texts() const { return texts_; }

 private:
  std::unordered_map<std::string, std::uint64_t> numbers_;
  std::vector<const std::string*> texts_;
};

class Writer {
 public:
  Writer(const Profile& profile, const Write& write) : profile_(profile), gzip_(write) {}

  void run() {
    add_head();
    add_mappings();
    // The locations' numbers are those of the places, so neither needs a table.
    for (std::uint32_t place = 1; place < profile_.places.size(); ++place) {
      add_location(place);
    }
    for (const Sample& sample : profile_.samples) {
      add_sample(sample);
    }
    for (const std::string* text : strings_.texts()) {
      add(ProtobufMessage().text(profile_field::kString, *text));
    }
    gzip_.add(piece_);
    gzip_.finish();
  }

 private:
  void add(const ProtobufMessage& field) {
    piece_ += field.bytes();
    if (piece_.size() >= kPieceBytes) {
      gzip_.add(piece_);
      piece_.clear();
    }
  }

  std::uint64_t text(std::string_view text) { return strings_.number_of(model::printable(text)); }

  ProtobufMessage value_type(const char* type, const char* unit) {
    return ProtobufMessage()
        .number(value_type_field::kType, text(type))
        .number(value_type_field::kUnit, text(unit));
  }

  // Time and period are those of the first process; the labels tell the others.
  void add_head() {
    for (const auto& [type, unit] : {std::pair("inuse_objects", "count"),
                                     {"inuse_space", "bytes"},
                                     {"alloc_objects", "count"},
                                     {"alloc_space", "bytes"}}) {
      add(ProtobufMessage().message(profile_field::kSampleType, value_type(type, unit)));
    }
    ProtobufMessage head;
    head.number(profile_field::kDefaultSampleType, text("inuse_space"));
    if (!profile_.processes.empty()) {
      const ProfileProcess& process = profile_.processes.front();
      const auto nanos = [](double seconds) {
        constexpr double kMostSeconds = 9e9;  // as many nanoseconds as have room
        return static_cast<std::uint64_t>(std::clamp(seconds, 0.0, kMostSeconds) * 1e9);
      };
      const bool sampled = process.info.mode == model::Mode::kSample;
      head.number(profile_field::kTimeNanos, process.info.started_unix_ns + nanos(process.time_s))
          .number(profile_field::kDurationNanos, nanos(process.time_s - process.since_s))
          .message(profile_field::kPeriodType, value_type("space", "bytes"))
          .number(profile_field::kPeriod, sampled ? process.info.sample_bytes : 1);
    }
    add(head);
  }

  void add_mappings() {
    std::vector<bool> has_inlined(profile_.mappings.size());
    for (const Place& place : profile_.places) {
      has_inlined[place.mapping] = has_inlined[place.mapping] || place.frames.size() > 1;
    }
    for (std::uint32_t i = 1; i < profile_.mappings.size(); ++i) {
      const Mapping& mapping = profile_.mappings[i];
      add(ProtobufMessage().message(
          profile_field::kMapping,
          ProtobufMessage()
              .number(mapping_field::kId, i)
              .number(mapping_field::kStart, mapping.begin)
              .number(mapping_field::kLimit, mapping.end)
              .number(mapping_field::kFile, text(mapping.path))
              .number(mapping_field::kBuildId, text(mapping.build_id))
              // Names are given here: pprof need not look for the file.
              .number(mapping_field::kHasFunctions, 1)
              .number(mapping_field::kHasFiles, 1)
              .number(mapping_field::kHasLines, 1)
              .number(mapping_field::kHasInlined, has_inlined[i] ? 1 : 0)));
    }
  }

  std::uint64_t function_of(const model::ReportFrame& frame) {
    const std::uint64_t name = strings_.number_of(frame_name(frame));
    const std::uint64_t file = text(frame.file.value_or(""));
    const auto [known, is_new] = functions_.try_emplace({name, file}, functions_.size() + 1);
    if (is_new) {
      const std::uint64_t system_name =
          frame.linkage_name.empty() ? name : text(frame.linkage_name);
      add(ProtobufMessage().message(profile_field::kFunction,
                                    ProtobufMessage()
                                        .number(function_field::kId, known->second)
                                        .number(function_field::kName, name)
                                        .number(function_field::kSystemName, system_name)
                                        .number(function_field::kFile, file)));
    }
    return known->second;
  }

  void add_location(std::uint32_t number) {
    const Place& place = profile_.places[number];
    ProtobufMessage location;
    location.number(location_field::kId, number)
        .number(location_field::kMapping, place.mapping)
        .number(location_field::kAddress, place.address);
    for (const model::ReportFrame& frame : place.frames) {
      location.message(location_field::kLine,
                       ProtobufMessage()
                           .number(line_field::kFunction, function_of(frame))
                           .number(line_field::kLine, frame.line.value_or(0)));
    }
    add(ProtobufMessage().message(profile_field::kLocation, location));
  }

  ProtobufMessage label(const char* key, const char* value) {
    return label(key, std::string_view(value));
  }
  ProtobufMessage label(const char* key, std::string_view value) {
    return ProtobufMessage()
        .number(label_field::kKey, text(key))
        .number(label_field::kText, text(value));
  }

  void add_sample(const Sample& sample) {
    locations_.clear();
    for (std::uint32_t node = sample.node; node != 0; node = profile_.nodes[node].parent) {
      locations_.push_back(profile_.nodes[node].place);
    }
    const model::Counters& now = sample.now;
    const model::Counters& before = sample.before;
    const ProfileProcess& process = profile_.processes[sample.process];
    const std::uint64_t values[] = {now.live_blocks - before.live_blocks,
                                    now.live_bytes - before.live_bytes,
                                    now.allocated_blocks - before.allocated_blocks,
                                    now.allocated_bytes - before.allocated_bytes};
    add(ProtobufMessage().message(
        profile_field::kSample,
        ProtobufMessage()
            .numbers(sample_field::kLocationId, locations_)
            .numbers(sample_field::kValue, values)
            .message(sample_field::kLabel, label("kind", model::name_of(sample.kind)))
            .message(sample_field::kLabel, label("mode", model::name_of(process.info.mode)))
            .message(sample_field::kLabel, label("process", process.id))
            .message(sample_field::kLabel, ProtobufMessage()
                                               .number(label_field::kKey, text("pid"))
                                               .number(label_field::kNumber, process.info.pid))));
  }

  const Profile& profile_;
  Gzip gzip_;
  std::string piece_;
  Strings strings_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> functions_;  // by name and file
  std::vector<std::uint64_t> locations_;                                        // of one sample
};

}  // namespace

void write_pprof(const Profile& profile, const Write& write) {
  Writer(profile, write).run();
}

}  // namespace seep::exporters
