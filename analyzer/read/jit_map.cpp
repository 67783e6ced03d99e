#include "analyzer/read/jit_map.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "analyzer/read/descriptor.h"
#include "format/recording_layout.h"

namespace seep::read {
namespace {

constexpr std::size_t kMostLines = 1'000'000;
constexpr std::size_t kMostNameBytes = 1024;
constexpr std::uint64_t kNsPerS = 1'000'000'000;
// File times are those of the kernel's tick.
constexpr std::uint64_t kClockSlackNs = kNsPerS;

// --- Lines

struct Line {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string_view name;
};

// Reads a hexadecimal number and the blank behind it.
bool take_hex(std::string_view& text, std::uint64_t& value) {
  if (text.starts_with("0x")) {
    text.remove_prefix(2);
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  const auto length = static_cast<std::size_t>(end - text.data());
  if (error != std::errc() || length == text.size() || text[length] != ' ') {
    return false;
  }
  text.remove_prefix(length + 1);
  return true;
}

std::optional<Line> parse_line(std::string_view text) {
  Line line;
  std::uint64_t size = 0;
  if (!take_hex(text, line.begin) || !take_hex(text, size) || text.empty() || size == 0 ||
      line.begin > ~size) {
    return std::nullopt;
  }
  line.end = line.begin + size;
  line.name = text.substr(0, kMostNameBytes);
  return line;
}

std::vector<Line> parse_lines(std::string_view text) {
  std::vector<Line> lines;
  for (std::size_t end = text.find('\n'); end != text.npos && lines.size() < kMostLines;
       end = text.find('\n')) {
    if (const auto line = parse_line(text.substr(0, end))) {
      lines.push_back(*line);
    }
    text.remove_prefix(end + 1);
  }
  return lines;
}

// --- Who stands at an address

// Where a line's range begins or ends.
struct Edge {
  std::uint64_t address = 0;
  std::size_t line = 0;
  bool begins = false;
};

std::vector<Edge> edges_of(const std::vector<Line>& lines) {
  std::vector<Edge> edges;
  edges.reserve(2 * lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    edges.push_back({lines[i].begin, i, true});
    edges.push_back({lines[i].end, i, false});
  }
  std::sort(edges.begin(), edges.end(),
            [](const Edge& a, const Edge& b) { return a.address < b.address; });
  return edges;
}

// --- Names

constexpr std::array<std::string_view, 5> kV8Kinds = {
    "JS:", "LazyCompile:", "Function:", "Script:", "Eval:"};

// Reads ":123" at the end of `text`.
std::optional<std::uint32_t> take_number_at_end(std::string_view& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos || colon + 1 == text.size()) {
    return std::nullopt;
  }
  std::uint32_t number = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data() + colon + 1, last, number);
  if (error != std::errc() || end != last) {
    return std::nullopt;
  }
  text = text.substr(0, colon);
  return number;
}

// Names of functions and of files may both have blanks in them: a file begins like one.
std::size_t file_begin(std::string_view text) {
  for (const std::string_view start : {" /", " file:", " node:", " internal/"}) {
    if (const std::size_t at = text.find(start); at != text.npos) {
      return at + 1;
    }
  }
  const std::size_t blank = text.rfind(' ');
  return blank == text.npos ? text.size() : blank + 1;
}

// "*handle /srv/app.js:10:21": a mark of the compiler that made it, function, file, line, column.
model::ScriptFrame parse_v8_name(std::string_view text) {
  while (!text.empty() && std::string_view("*~^+").find(text.front()) != text.npos) {
    text.remove_prefix(1);
  }
  const std::optional<std::uint32_t> column = take_number_at_end(text);
  const std::optional<std::uint32_t> line = column ? take_number_at_end(text) : std::nullopt;
  model::ScriptFrame code;
  if (line) {
    const std::size_t begin = file_begin(text);
    std::string_view file = text.substr(begin);
    if (file.starts_with("file://")) {
      file.remove_prefix(std::string_view("file://").size());
    }
    code.file = file;
    code.line = file.empty() ? 0 : *line;
    text = text.substr(0, begin == 0 ? 0 : begin - 1);
  }
  code.function = text.empty() ? "(anonymous)" : std::string(text);
  return code;
}

}  // namespace

model::ScriptFrame parse_jit_name(std::string_view name) {
  model::ScriptFrame code;
  code.function = name;
  for (const std::string_view kind : kV8Kinds) {
    if (name.starts_with(kind)) {
      code = parse_v8_name(name.substr(kind.size()));
      break;
    }
  }
  constexpr std::string_view kPython = "py::";
  const std::size_t colon = name.starts_with(kPython) ? name.find(":/", kPython.size()) : name.npos;
  if (colon != name.npos) {
    code.function = name.substr(kPython.size(), colon - kPython.size());
    code.file = name.substr(colon + 1);
  }
  code.language = model::Language::kJit;
  return code;
}

// Goes over the edges in the order of addresses; of the lines that are open, the last is believed.
std::vector<JitCode> parse_jit_map(std::string_view text) {
  const std::vector<Line> lines = parse_lines(text);
  std::vector<JitCode> map;
  std::set<std::size_t> open;
  std::uint64_t since = 0;
  for (const Edge& edge : edges_of(lines)) {
    if (!open.empty() && since < edge.address) {
      const std::string_view name = lines[*open.rbegin()].name;
      map.push_back({since, edge.address, parse_jit_name(name)});
    }
    since = edge.address;
    if (edge.begins) {
      open.insert(edge.line);
    } else {
      open.erase(edge.line);
    }
  }
  return map;
}

void name_jit_frames(model::Stacks& stacks, const std::vector<JitCode>& map) {
  std::unordered_map<std::size_t, std::uint64_t> frames;  // index of the map to that of its frame
  for (std::size_t i = 1; i < stacks.nodes.size(); ++i) {
    model::Node& node = stacks.nodes[i];
    if (node.module != 0 || node.language != model::Language::kNative || node.offset == 0) {
      continue;
    }
    const std::uint64_t address = node.exact_pc ? node.offset : node.offset - 1;
    auto code =
        std::upper_bound(map.begin(), map.end(), address,
                         [](std::uint64_t a, const JitCode& other) { return a < other.begin; });
    if (code == map.begin() || address >= (--code)->end) {
      continue;
    }
    const auto [frame, is_new] = frames.try_emplace(static_cast<std::size_t>(code - map.begin()),
                                                    stacks.script_frames.size());
    if (is_new) {
      stacks.script_frames.push_back(code->code);
    }
    node.offset = frame->second;
    node.module = format::kScriptModule;
    node.language = model::Language::kJit;
  }
}

// --- Files

namespace {

// Whose file it may be beside root's, and since when it must have been written.
struct Trust {
  std::vector<std::uint32_t> users;
  std::uint64_t since_unix_ns = 0;

  [[nodiscard]] bool holds(const struct stat& file) const {
    const auto written =
        static_cast<std::uint64_t>(file.st_mtim.tv_sec) * kNsPerS +
        static_cast<std::uint64_t>(file.st_mtim.tv_nsec);  // of a time before 1970: far ahead
    return S_ISREG(file.st_mode) && written + kClockSlackNs >= since_unix_ns &&
           (file.st_uid == 0 || std::find(users.begin(), users.end(), file.st_uid) != users.end());
  }
};

// Anybody may put something else there: a FIFO must not block, a link not lead away.
std::string read_trusted(const std::string& path, const Trust& trust) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (file.get() < 0 || fstat(file.get(), &status) != 0 || !trust.holds(status)) {
    return {};
  }
  std::string text(std::min(static_cast<std::size_t>(status.st_size), format::kMostJitMapBytes),
                   '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + done, text.size() - done);
    if (got <= 0) {
      break;
    }
    done += static_cast<std::size_t>(got);
  }
  text.resize(done);
  return text;
}

// The process's own /tmp, which may be another than ours, and the number that it knows itself by.
std::string read_of_running(const model::ProcessInfo& process) {
  const std::uint32_t pid = process.host_pid != 0 ? process.host_pid : process.pid;
  const std::string entry = fmt::format("/proc/{}", pid);
  Trust trust{{process.uid}, process.began_late ? 0 : process.started_unix_ns};
  struct stat status {};
  if (stat(entry.c_str(), &status) == 0) {
    trust.users.push_back(status.st_uid);
  }
  const std::string name = fmt::format("tmp/perf-{}.map", process.pid);
  std::string text = read_trusted(fmt::format("{}/root/{}", entry, name), trust);
  const bool is_here = process.host_pid == 0 || process.host_pid == process.pid;
  return text.empty() && is_here ? read_trusted("/" + name, trust) : text;
}

}  // namespace

std::vector<JitCode> read_jit_map(const std::string& directory, const model::ProcessInfo& process,
                                  bool is_running) {
  struct stat status {};
  const Trust of_recording{
      {process.uid, stat(directory.c_str(), &status) == 0 ? status.st_uid : process.uid}, 0};
  std::string text = read_trusted(directory + "/" + format::kJitMapFileName, of_recording);
  if (text.empty() && is_running) {
    text = read_of_running(process);
  }
  return parse_jit_map(text);
}

}  // namespace seep::read
