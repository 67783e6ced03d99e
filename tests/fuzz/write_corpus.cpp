// Writes the first inputs of the fuzzer: small whole snapshots of different shapes.
#include <cstdio>
#include <string>

#include "tests/support/snapshot_builder.h"
#include "tests/support/temporary_directory.h"

namespace seep::test {
namespace {

SnapshotBuilder with_sites() {
  SnapshotBuilder builder;
  const auto server = builder.add_module("/usr/bin/server", "\x01\x02\x03");
  const auto plugin = builder.add_module("/usr/lib/plugin.so", "", 0, format::kModuleUnloaded);
  builder.add_site({.stack = {{server, 0x30}, {server, 0x20, format::kExactPc}},
                    .live_blocks = 3,
                    .live_bytes = 300,
                    .allocated_blocks = 9,
                    .allocated_bytes = 900,
                    .ages = {{0, 1, 100}, {4, 2, 200}}});
  builder.add_site({.stack = {{plugin, 0x40, format::kHeuristic}, {server, 0x20}},
                    .kind = format::SiteKind::kMmap,
                    .live_blocks = 1,
                    .live_bytes = 4096,
                    .inherited_blocks = 1,
                    .inherited_bytes = 4096,
                    .ages = {{31, 1, 4096}}});
  return builder;
}

SnapshotBuilder with_scan() {
  SnapshotBuilder builder = with_sites();
  builder.scanned(format::ScanTime::kExit);
  builder.unreachable = {{0, 0, 2, 200, 1, 100}, {1, 0, 1, 4096, 0, 0}};
  const auto kind = [](format::LinkKind value) { return static_cast<std::uint32_t>(value); };
  builder.chains = {{0,
                     3,
                     4,
                     {{kind(format::LinkKind::kGlobal), 0, 1, 0, 0x4020},
                      {kind(format::LinkKind::kBlock), 0, 0, 0, 8}}},
                    {0, 1, 4, {{kind(format::LinkKind::kStack), 0, 0, 4711, 0}}},
                    {1, 1, 1, {{kind(format::LinkKind::kBlock), 0, 0, 0, 16}}}};
  return builder;
}

SnapshotBuilder with_scripts() {
  SnapshotBuilder builder = with_sites();
  const Frame internal = builder.add_script_frame("str_repeat", "", 0);
  const Frame run = builder.add_script_frame("Pool::run", "/srv/pool.php", 9);
  const Frame load =
      builder.add_script_frame("load", "/srv/app.py", 3, format::ScriptLanguage::kPython);
  builder.add_site({.stack = {internal, run, {1, 0x30}}, .live_blocks = 2, .live_bytes = 64});
  builder.add_site({.stack = {load, {1, 0x30}}, .live_blocks = 1, .live_bytes = 8});
  return builder;
}

SnapshotBuilder with_words() {
  SnapshotBuilder builder = with_scan();
  const auto kind = [](format::LinkKind value) { return static_cast<std::uint32_t>(value); };
  builder.holder_texts = "global $jobsJob::$log";
  builder.chains.push_back({1,
                            4,
                            4,
                            {{kind(format::LinkKind::kScriptGlobal), 12, 0, 0, 0},
                             {kind(format::LinkKind::kScriptValue), 9, 0, 0, 12}}});
  return builder;
}

void write_corpus(const std::string& directory) {
  SnapshotBuilder().write(directory + "/empty");
  SnapshotBuilder sites = with_sites();
  sites.write(directory + "/plain");
  sites.units(1000).write(directory + "/mark");
  sites.ended_by_exit(3).write(directory + "/exit");
  auto sections = sites.sections();
  sections.push_back({99, 4, "later"});
  write_file(directory + "/later-section", encode_file(sections, format::kVersionMajor, 1));
  with_scan().write(directory + "/scan");
  with_scripts().write(directory + "/scripts");
  with_words().write(directory + "/holder-words");
  with_scan()
      .scanned(format::ScanTime::kRequest, format::ScanProblem::kNoRegisters)
      .write(directory + "/scan-incomplete");
  write_file(directory + "/newer", encode_file(sections, format::kVersionMajor + 1, 0));
}

}  // namespace
}  // namespace seep::test

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: seep_write_fuzz_corpus DIRECTORY\n");
    return 2;
  }
  seep::test::write_corpus(argv[1]);
  return 0;
}
