// Makes snapshot files from a readable description, so that tests of the offline side need no
// process. It writes format/snapshot_format.h on its own, independent of libseep.so's writer.
//
//   SnapshotBuilder builder;
//   const auto server = builder.add_module("/usr/bin/server", "\xab\xcd");
//   const auto site = builder.add_site({.stack = {{server, 0x1200}, {server, 0x1100}},
//                                       .live_blocks = 10, .live_bytes = 320});
//   builder.at(1, 0.5).write_into(directory);          // directory/snapshot-000001.seep
//   builder.site(site).live_blocks = 20;
//   builder.at(2, 1.0).write_into(directory);
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "format/losses.h"
#include "format/snapshot_format.h"

namespace seep::test {

struct Frame {
  std::uint32_t module = 0;
  std::uint64_t offset = 0;  // ELF virtual address
  std::uint32_t flags = 0;   // format::kExactPc, …
};

struct AgeGroup {
  std::uint32_t age_class = 0;
  std::uint64_t blocks = 0;
  std::uint64_t bytes = 0;
};

struct SiteDescription {
  std::vector<Frame> stack = {};  // innermost first; empty: the root
  format::SiteKind kind = format::SiteKind::kHeap;
  std::uint64_t live_blocks = 0;
  std::uint64_t live_bytes = 0;
  std::uint64_t allocated_blocks = 0;  // raised to live - inherited when smaller
  std::uint64_t allocated_bytes = 0;
  std::uint64_t inherited_blocks = 0;  // of the live ones
  std::uint64_t inherited_bytes = 0;
  std::uint64_t oldest_ms = 0;
  std::vector<AgeGroup> ages = {};
  std::uint64_t sampled_blocks = 0;  // in sample mode, with the errors: of the live ones
  std::uint64_t live_bytes_error = 0;
  std::uint64_t live_blocks_error = 0;
};

// How `blocks` of the sampled ones of a site are held.
struct ChainDescription {
  std::uint32_t site = 0;
  std::uint64_t blocks = 0;
  std::uint32_t sampled_blocks = 0;
  std::vector<format::LinkRecord> links = {};  // outermost first
};

// A section as it will stand in the file; tests change it to make damaged files.
struct SectionBytes {
  std::uint32_t id = 0;
  std::uint32_t entry_bytes = 1;
  std::string bytes;
};

// A whole file of these sections, with all checksums right.
std::string encode_file(const std::vector<SectionBytes>& sections,
                        std::uint16_t version_major = format::kVersionMajor,
                        std::uint16_t version_minor = format::kVersionMinor);

// Where the section stands in a well-formed file; fails the program when it has none.
format::SectionEntry find_section(const std::string& file, format::SectionId id);

class SnapshotBuilder {
 public:
  SnapshotBuilder();

  // Numbers of the process record; its StringRefs are filled from the texts below.
  format::ProcessRecord process{};
  std::string exe = "/usr/bin/server";
  std::vector<std::string> command = {"server", "--port", "80"};
  std::string host = "testhost";
  std::string mark;
  std::string end_function;
  std::string unit;  // name of a unit of work
  format::AccountingRecord accounting{};
  std::map<format::Loss, std::uint64_t> losses;  // those left out are written as 0
  // With `scan` it is the file of a scan. Records and chains are written in this order.
  std::optional<format::ScanRecord> scan;
  std::vector<format::UnreachableRecord> unreachable;
  std::vector<ChainDescription> chains;
  std::vector<format::KeptRecord> kept;
  std::string holder_texts;  // that links point into

  // `build_id` is raw bytes, possibly none. Returns the module's index (1, 2, …).
  std::uint32_t add_module(const std::string& path, const std::string& build_id = "",
                           std::uint64_t base = 0x555500000000, std::uint32_t flags = 0);

  // The frame of a script, to stand in a stack. No file: an internal function.
  Frame add_script_frame(const std::string& function, const std::string& file, std::uint32_t line,
                         format::ScriptLanguage language = format::ScriptLanguage::kPhp);

  // Returns the site's index. The same stack twice shares its nodes.
  std::uint32_t add_site(const SiteDescription& site);
  SiteDescription& site(std::uint32_t index) { return sites_[index]; }

  // Sets sequence number and time.
  SnapshotBuilder& at(std::uint32_t sequence, double seconds);
  SnapshotBuilder& trigger(format::Trigger trigger);
  SnapshotBuilder& units(std::uint64_t done);  // a mark with units
  SnapshotBuilder& ended_by_exit(int status, const std::string& function = "exit");

  // A complete scan at exit, or an incomplete one for a problem; write_into() names it scan-….
  SnapshotBuilder& scanned(format::ScanTime when,
                           format::ScanProblem problem = format::ScanProblem::kNone);

  [[nodiscard]] std::vector<SectionBytes> sections() const;
  [[nodiscard]] std::string bytes() const { return encode_file(sections()); }

  void write(const std::string& file) const;
  // As snapshot-NNNNNN.seep or scan-NNNNNN.seep by its sequence number; returns the path. Makes
  // the directory.
  std::string write_into(const std::string& directory) const;

 private:
  struct Module {
    std::string path;
    std::string build_id;
    std::uint64_t base;
    std::uint32_t flags;
  };

  std::uint32_t intern(const std::vector<Frame>& stack);

  struct ScriptFrame {
    std::string function;
    std::string file;
    std::uint32_t line;
    format::ScriptLanguage language;
  };

  std::vector<Module> modules_;
  std::vector<ScriptFrame> script_frames_;
  std::vector<format::NodeRecord> nodes_;
  std::unordered_map<std::string, std::uint32_t> node_index_;  // by the bytes of the NodeRecord
  std::vector<SiteDescription> sites_;
  std::vector<std::uint32_t> site_nodes_;
};

}  // namespace seep::test
