#include <fmt/format.h>

#include <cstddef>

#include "analyzer/read/sections.h"

namespace seep::read {
namespace {

using format::ProcessRecord;

// Reads the texts of the record; remembers the first error, so that callers check once.
class TextReader {
 public:
  TextReader(const Section& section, Strings& strings) : section_(section), strings_(strings) {}

  std::string_view get(const format::StringRef& ref, std::uint64_t offset) {
    auto text = strings_.get(ref, section_, offset);
    if (!text) {
      fail(text.error());
      return {};
    }
    return *text;
  }

  // Arguments, each followed by a NUL; a last one without is taken too.
  std::vector<std::string> get_command(const format::StringRef& ref) {
    std::string_view rest = get(ref, offsetof(ProcessRecord, command));
    std::vector<std::string> arguments;
    while (!rest.empty()) {
      if (!strings_.charge(sizeof(std::string))) {
        fail(section_error(section_, offsetof(ProcessRecord, command), "too many arguments"));
        break;
      }
      const std::size_t length = rest.find('\0');
      arguments.emplace_back(rest.substr(0, length));
      rest.remove_prefix(length == rest.npos ? rest.size() : length + 1);
    }
    return arguments;
  }

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  void fail(const Error& error) {
    if (!error_) {
      error_ = error;
    }
  }

  const Section& section_;
  Strings& strings_;
  std::optional<Error> error_;
};

std::optional<Error> check_enums(const Section& section, const ProcessRecord& record) {
  const auto unknown = [&](const char* what, std::uint32_t value, std::size_t offset) {
    return section_error(section, offset, fmt::format("unknown {} {}", what, value));
  };
  if (record.trigger > static_cast<std::uint32_t>(format::Trigger::kExit)) {
    return unknown("trigger", record.trigger, offsetof(ProcessRecord, trigger));
  }
  if (record.mode > static_cast<std::uint32_t>(format::Mode::kSample)) {
    return unknown("mode", record.mode, offsetof(ProcessRecord, mode));
  }
  if (record.end > static_cast<std::uint32_t>(format::End::kExec)) {
    return unknown("end", record.end, offsetof(ProcessRecord, end));
  }
  return std::nullopt;
}

model::ProcessInfo process_info(const ProcessRecord& record, TextReader& texts) {
  model::ProcessInfo info;
  info.run_id = record.run_id;
  info.started_unix_ns = record.started_unix_ns;
  info.start_ticks = record.start_ticks;
  info.mode = static_cast<format::Mode>(record.mode);
  info.sample_bytes = record.sample_bytes;
  info.pid = record.pid;
  info.host_pid = record.host_pid;
  info.parent_pid = record.parent_pid;
  info.uid = record.uid;
  info.image = record.image;
  info.forked = (record.flags & format::kForkedImage) != 0;
  info.started_directly = (record.flags & format::kStartedDirectly) != 0;
  info.began_late = (record.flags & format::kBeganLate) != 0;
  info.was_paused = (record.flags & format::kWasPaused) != 0;
  info.exe = texts.get(record.exe, offsetof(ProcessRecord, exe));
  info.host = texts.get(record.host, offsetof(ProcessRecord, host));
  info.unit = texts.get(record.unit, offsetof(ProcessRecord, unit));
  info.command = texts.get_command(record.command);
  return info;
}

model::Moment moment_of(const ProcessRecord& record, TextReader& texts) {
  model::Moment moment;
  moment.sequence = record.sequence;
  moment.time_s = static_cast<double>(record.time_ms) / 1000;
  moment.trigger = static_cast<format::Trigger>(record.trigger);
  moment.walk_ns = record.walk_ns;
  const std::string_view mark = texts.get(record.mark, offsetof(ProcessRecord, mark));
  if (moment.trigger == format::Trigger::kMark || !mark.empty()) {
    moment.mark = std::string(mark);
  }
  if ((record.flags & format::kHasUnits) != 0) {
    moment.units = record.units;
    moment.units_are_requests = (record.flags & format::kUnitsAreRequests) != 0;
  }
  return moment;
}

model::EndInfo end_info(const ProcessRecord& record, TextReader& texts) {
  using How = model::EndInfo::How;
  model::EndInfo end;
  const std::string_view function =
      texts.get(record.end_function, offsetof(ProcessRecord, end_function));
  if (!function.empty()) {
    end.function = std::string(function);
  }
  switch (static_cast<format::End>(record.end)) {
    case format::End::kNotYet:
      end.how = How::kRunning;
      break;
    case format::End::kExit:
      end.how = How::kExit;
      end.status = record.end_status;
      break;
    case format::End::kSignal:
      end.how = How::kSignal;
      end.signal = record.end_signal;
      break;
    case format::End::kExec:
      end.how = How::kExec;
      break;
  }
  return end;
}

}  // namespace

Result<ProcessPart> parse_process(const Section& section, Strings& strings) {
  const auto records = records_of<ProcessRecord>(section, format::kLeastProcessBytes);
  if (!records) {
    return records.error();
  }
  if (records->size() != 1) {
    return section_error(section, 0, fmt::format("{} records, one expected", records->size()));
  }
  const ProcessRecord record = (*records)[0];
  if (auto error = check_enums(section, record)) {
    return *error;
  }
  TextReader texts(section, strings);
  ProcessPart part{process_info(record, texts), moment_of(record, texts), end_info(record, texts),
                   false};
  if (texts.error()) {
    return *texts.error();
  }
  return part;
}

}  // namespace seep::read
