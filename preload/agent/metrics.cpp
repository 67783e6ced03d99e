#include "preload/agent/metrics.h"

#include <errno.h>
#include <fcntl.h>

#include "preload/runtime/file.h"
#include "preload/runtime/syscall.h"

namespace seep::agent {
namespace {

using runtime::as_argument;
using runtime::raw_syscall;

// Names of files and of programs are any bytes; the format is UTF-8.
void add_label(std::string_view value, MetricsText& text) {
  for (const char c : value) {
    if (c == '\\' || c == '"') {
      text.add_char('\\');
    }
    text.add_char(c >= ' ' && c < 127 ? c : '_');
  }
}

// Writes the lines of one family after the other.
class Families {
 public:
  Families(const Identity& identity, MetricsText& text) : identity_(identity), text_(text) {}

  void begin(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_.add("# HELP ").add(kPrefix).add(name).add(" ").add(help).add("\n");
    text_.add("# TYPE ").add(kPrefix).add(name).add(" ").add(type).add("\n");
  }

  MetricsText& sample(std::string_view limit = {}) {
    text_.add(kPrefix).add(name_).add("{pid=\"").add_decimal(identity_.pid).add("\",exe=\"");
    add_label(identity_.name.view(), text_);
    text_.add("\",host=\"");
    add_label(identity_.host.view(), text_);
    if (!limit.empty()) {
      text_.add("\",limit=\"").add(limit);
    }
    return text_.add("\"} ");
  }

  void gauge(std::string_view name, std::string_view help, std::uint64_t value) {
    begin(name, "gauge", help);
    sample().add_decimal(value).add("\n");
  }

  void counter(std::string_view name, std::string_view help, std::uint64_t value) {
    begin(name, "counter", help);
    sample().add_decimal(value).add("\n");
  }

 private:
  static constexpr std::string_view kPrefix = "seep_process_";
  const Identity& identity_;
  MetricsText& text_;
  std::string_view name_;
};

void add_growth(std::int64_t milli, Families& families) {
  families.begin("growth_bytes_per_second", "gauge",
                 "Growth of what is alive, over the later half of the recording.");
  const bool shrinks = milli < 0;
  const std::uint64_t size =
      shrinks ? 0 - static_cast<std::uint64_t>(milli) : static_cast<std::uint64_t>(milli);
  MetricsText& text = families.sample();
  text.add(shrinks ? "-" : "").add_decimal(size / 1000).add(".").add_decimal(size % 1000, 3);
  text.add("\n");
}

// `value(limit)` for each limit that there is.
template <typename Value>
void add_limits(const Figures& figures, Families& families, Value&& value) {
  for (unsigned i = 0; i < kLimitCount; ++i) {
    if (figures.limits[i].bytes != 0) {
      families.sample(kLimitNames[i]).add_decimal(value(figures.limits[i])).add("\n");
    }
  }
}

void add_limit_families(const Figures& figures, Families& families) {
  if (figures.limits[0].bytes == 0 && figures.limits[1].bytes == 0) {
    return;
  }
  using Limit = Figures::Limit;
  families.begin("limit_bytes", "gauge", "Limits of the resident size (SEEP_RSS_LIMIT).");
  add_limits(figures, families, [](const Limit& limit) { return limit.bytes; });
  families.begin("limit_passed", "gauge", "1 while the resident size is beyond the limit.");
  add_limits(figures, families, [](const Limit& limit) { return limit.is_passed ? 1U : 0U; });
  families.begin("limit_crossings_total", "counter", "How often the limit was passed.");
  add_limits(figures, families, [](const Limit& limit) { return limit.crossings; });
}

}  // namespace

void format_metrics(const Figures& figures, const Identity& identity, MetricsText& text) {
  Families families(identity, text);
  families.gauge("updated_timestamp_seconds", "When these figures were written.",
                 figures.updated_s);
  families.gauge("rss_bytes", "Resident size.", figures.rss_bytes);
  families.gauge("recording", "1 while allocations are recorded.", figures.is_recording ? 1 : 0);
  families.counter("snapshots_total", "Snapshots that were taken.", figures.snapshots);
  if (figures.snapshots != 0) {
    families.gauge("live_bytes", "Bytes alive at the last snapshot.", figures.live_bytes);
    families.gauge("live_blocks", "Blocks alive at the last snapshot.", figures.live_blocks);
  }
  if (figures.growth_is_known) {
    add_growth(figures.growth_milli, families);
  }
  families.counter("lost_events_total", "What could not be recorded, of all kinds.",
                   figures.lost_events);
  add_limit_families(figures, families);
}

runtime::Path metrics_path(std::string_view directory, const Identity& identity) {
  runtime::Path path;
  path.add(directory).add("/seep-");
  const auto add_name = [&path](std::string_view name) {
    for (const char c : name) {
      path.add_char(c > ' ' && c < 127 && c != '/' ? c : '_');
    }
  };
  add_name(identity.host.view());
  path.add("-");
  add_name(identity.name.view());
  return path.add(".").add_decimal(identity.pid).add(".prom");
}

// The unfinished file has another ending, so that no reader takes it. The directory may be anyone's
// to write to: what somebody has put there is not followed.
int write_metrics(const runtime::Path& path, const MetricsText& text) {
  runtime::Path unfinished;
  unfinished.add(path.view()).add(".new");
  raw_syscall(__NR_unlinkat, AT_FDCWD, as_argument(unfinished.c_str()), 0);
  const int fd = runtime::open_file(AT_FDCWD, unfinished.c_str(),
                                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
  if (fd < 0) {
    return fd;
  }
  int error = text.cut() ? -ENOBUFS : runtime::write_all(fd, text.c_str(), text.size());
  raw_syscall(__NR_fchmod, fd, 0644);  // not by its name, which may be another file's by now
  runtime::close_file(fd);
  if (error == 0) {
    error = static_cast<int>(raw_syscall(__NR_renameat, AT_FDCWD, as_argument(unfinished.c_str()),
                                         AT_FDCWD, as_argument(path.c_str())));
  }
  if (error != 0) {
    raw_syscall(__NR_unlinkat, AT_FDCWD, as_argument(unfinished.c_str()), 0);
  }
  return error;
}

void remove_metrics(const runtime::Path& path) {
  raw_syscall(__NR_unlinkat, AT_FDCWD, as_argument(path.c_str()), 0);
}

}  // namespace seep::agent
