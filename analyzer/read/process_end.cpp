#include "analyzer/read/process_end.h"

#include <fstream>
#include <sstream>

#include "format/recording_layout.h"

namespace seep::read {
namespace {

using How = model::EndInfo::How;

std::string first_line(const std::string& path) {
  std::ifstream stream(path);
  std::string line;
  std::getline(stream, line);
  return line;
}

bool is_running(std::uint32_t pid, std::uint64_t start_ticks) {
  return pid != 0 &&
         parse_start_ticks(first_line("/proc/" + std::to_string(pid) + "/stat")) == start_ticks;
}

}  // namespace

std::optional<model::EndInfo> parse_ended(const std::string& line) {
  std::istringstream words(line);
  std::string how;
  int number = 0;
  if (!(words >> how >> number)) {
    return std::nullopt;
  }
  model::EndInfo end;
  if (how == "exit") {
    end.how = How::kExit;
    end.status = number;
    return end;
  }
  if (how == "signal") {
    end.how = How::kSignal;
    end.signal = number;
    return end;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parse_start_ticks(const std::string& line) {
  const std::size_t name_end = line.rfind(')');
  if (name_end == line.npos) {
    return std::nullopt;
  }
  constexpr int kBetween = 18;  // fields 4 to 21
  std::istringstream words(line.substr(name_end + 1));
  std::string word;
  if (!(words >> word) || word == "Z" || word == "X") {
    return std::nullopt;
  }
  for (int i = 0; i < kBetween; ++i) {
    words >> word;
  }
  std::uint64_t ticks = 0;
  if (!(words >> ticks)) {
    return std::nullopt;
  }
  return ticks;
}

model::EndInfo find_end(const model::EndInfo& last, const model::ProcessInfo& process,
                        const std::string& directory) {
  if (last.how != How::kRunning) {
    return last;
  }
  if (auto end = parse_ended(first_line(directory + "/" + format::kEndedFileName))) {
    return *end;
  }
  model::EndInfo end;
  const bool running = is_running(process.host_pid, process.start_ticks) ||
                       is_running(process.pid, process.start_ticks);
  end.how = running ? How::kRunning : How::kLost;
  return end;
}

}  // namespace seep::read
