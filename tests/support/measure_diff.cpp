// Measures reading and comparing of large snapshots. Not a test: it prints figures.
//
//   seep_measure_diff write DIRECTORY STACKS MOMENTS   writes so many snapshots of one process
//   seep_measure_diff named DIRECTORY STACKS MOMENTS   the same with names, each stack a function
//   of
//                                                      its own; some grow, some change, most stay
//   seep_measure_diff read FILE                        reads one
//   seep_measure_diff recording DIRECTORY              reads all, as one recording
//   seep_measure_diff diff OLD NEW                     what `seep diff` does, without symbols
//
// Peak memory: run it under `/usr/bin/time -v`.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "analyzer/diff/diff.h"
#include "analyzer/read/read_recording.h"
#include "analyzer/read/read_snapshot.h"
#include "tests/support/snapshot_builder.h"

namespace seep::test {
namespace {

class Stopwatch {
 public:
  [[nodiscard]] double milliseconds() const {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_)
        .count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

int fail(const Error& error) {
  std::fprintf(stderr, "%s\n", error.message().c_str());
  return EXIT_FAILURE;
}

// A stack of 20 to 30 frames in 40 modules. Like real ones it shares its outer part with others:
// each frame is one of a few callers, more of them further in.
std::vector<Frame> random_stack(std::mt19937_64& random) {
  const std::size_t depth = 20 + random() % 11;
  std::vector<Frame> stack(depth);
  for (std::size_t i = 0; i < depth; ++i) {
    const std::uint64_t choices = i < 6 ? 16 : 2;  // index 0 is the innermost frame
    const auto module = static_cast<std::uint32_t>(1 + i % 40);
    stack[i] = {module, 0x1000 * (i + 1) + 0x10 * (random() % choices)};
  }
  return stack;
}

int write_snapshots(const std::string& directory, std::size_t stacks, std::uint32_t moments) {
  std::mt19937_64 random(1);  // the same files every time
  SnapshotBuilder builder;
  for (int i = 0; i < 40; ++i) {
    builder.add_module("/usr/lib/x86_64-linux-gnu/library" + std::to_string(i) + ".so",
                       "id" + std::to_string(i));
  }
  for (std::size_t i = 0; i < stacks; ++i) {
    const std::uint64_t blocks = 1 + random() % 1000;
    builder.add_site({.stack = random_stack(random),
                      .live_blocks = blocks,
                      .live_bytes = blocks * 64,
                      .ages = {{2, blocks / 2, 64}, {5, blocks - blocks / 2, 64}}});
  }
  for (std::uint32_t moment = 1; moment <= moments; ++moment) {
    builder.at(moment, moment).write_into(directory);
    for (std::uint32_t i = 0; i < stacks; ++i) {
      builder.site(i).live_bytes += random() % 4096;
    }
  }
  return EXIT_SUCCESS;
}

// Frames of scripts have names without files of programs. Of a hundred stacks one grows, 30 turn
// over, the others stay.
int write_named(const std::string& directory, std::uint32_t stacks, std::uint32_t moments) {
  constexpr std::size_t kLayers = 20;
  constexpr std::size_t kCallers = 4;
  std::mt19937_64 random(1);
  SnapshotBuilder builder;
  std::vector<Frame> callers;
  for (std::size_t i = 0; i < kLayers * kCallers; ++i) {
    const std::string layer = std::to_string(i / kCallers);
    callers.push_back(
        builder.add_script_frame("Layer" + layer + "::call" + std::to_string(i % kCallers),
                                 "/srv/app/layers/layer" + layer + ".php",
                                 static_cast<std::uint32_t>(10 * (i % kCallers) + 1)));
  }
  for (std::uint32_t i = 0; i < stacks; ++i) {
    const std::string module = std::to_string(i % 97);
    std::vector<Frame> stack = {
        builder.add_script_frame("Module" + module + "::handler" + std::to_string(i),
                                 "/srv/app/modules/module" + module + ".php", 1 + i % 2000)};
    for (std::size_t layer = kLayers; layer-- != 0;) {
      stack.push_back(callers[kCallers * layer + random() % (layer < kLayers / 2 ? 2 : kCallers)]);
    }
    builder.add_site({.stack = stack, .live_blocks = 1 + random() % 100});
  }
  for (std::uint32_t moment = 1; moment <= moments; ++moment) {
    for (std::uint32_t i = 0; i < stacks; ++i) {
      SiteDescription& site = builder.site(i);
      const bool turns_over = i % 100 >= 1 && i % 100 <= 30;
      site.live_blocks = i % 100 == 0 ? 50ULL * moment
                         : turns_over ? 1 + random() % 200
                                      : site.live_blocks;
      site.live_bytes = site.live_blocks * (16 + 16 * (i % 20));
    }
    builder.accounting.rss_bytes = 100'000'000 + 1'000'000ULL * moment;
    builder.at(moment, 10.0 * moment).write_into(directory);
  }
  return EXIT_SUCCESS;
}

int measure_read(const std::string& file) {
  const Stopwatch watch;
  const auto snapshot = read::read_snapshot(file);
  if (!snapshot) {
    return fail(snapshot.error());
  }
  std::printf("read: %.1f ms, %zu stacks, %zu nodes, peak %.0f MB\n", watch.milliseconds(),
              snapshot->sites.size(), snapshot->stacks.nodes.size(), peak_megabytes());
  return EXIT_SUCCESS;
}

int measure_recording(const std::string& directory) {
  const Stopwatch watch;
  const auto recordings = read::read_recordings({directory}, {});
  if (!recordings) {
    return fail(recordings.error());
  }
  const model::Recording& recording = recordings->front();
  std::printf("recording: %.1f ms, %zu moments, %zu sites, peak %.0f MB\n", watch.milliseconds(),
              recording.moments.size(), recording.sites.size(), peak_megabytes());
  return EXIT_SUCCESS;
}

int measure_diff(const std::string& old_file, const std::string& new_file) {
  const Stopwatch watch;
  const auto old_side = read::read_recordings({old_file}, {});
  if (!old_side) {
    return fail(old_side.error());
  }
  const auto new_side = read::read_recordings({new_file}, {});
  if (!new_side) {
    return fail(new_side.error());
  }
  const double reading = watch.milliseconds();
  const model::Diff diff = diff::compare(old_side->front(), new_side->front(), 0);
  std::printf("diff: %.1f ms of which reading %.1f ms, %zu rows, peak %.0f MB\n",
              watch.milliseconds(), reading, diff.rows.size(), peak_megabytes());
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace seep::test

int main(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  const auto number = [&](int i) {
    return static_cast<std::uint32_t>(std::strtoul(argv[i], nullptr, 10));
  };
  if (command == "write" && argc == 5) {
    return seep::test::write_snapshots(argv[2], number(3), number(4));
  }
  if (command == "named" && argc == 5) {
    return seep::test::write_named(argv[2], number(3), number(4));
  }
  if (command == "recording" && argc == 3) {
    return seep::test::measure_recording(argv[2]);
  }
  if (command == "read" && argc == 3) {
    return seep::test::measure_read(argv[2]);
  }
  if (command == "diff" && argc == 4) {
    return seep::test::measure_diff(argv[2], argv[3]);
  }
  std::fprintf(stderr,
               "usage: seep_measure_diff write|named DIRECTORY STACKS MOMENTS | read FILE | "
               "recording DIRECTORY | diff OLD NEW\n");
  return 2;
}
