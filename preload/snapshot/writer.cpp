#include "preload/snapshot/writer.h"

#include <errno.h>
#include <fcntl.h>

#include "preload/runtime/arena.h"
#include "preload/runtime/clocks.h"
#include "preload/runtime/file.h"
#include "preload/runtime/real_math.h"
#include "preload/runtime/syscall.h"
#include "preload/runtime/text.h"
#include "preload/snapshot/accounting.h"
#include "preload/snapshot/file_builder.h"
#include "preload/snapshot/live_walk.h"
#include "preload/stack/modules.h"

namespace seep::snapshot {
namespace {

using format::SectionId;

// What a snapshot is made in. That of a small one is kept for the next: to map, touch and unmap it
// each time costs more than to fill it.
struct Workspace {
  alignas(64) char sums[std::size_t{128} << 10];
  char file[FileBuilder::kBufferBytes];
};
constexpr std::uint64_t kSmallFileBytes = std::uint64_t{64} << 10;

// Belongs to who writes a snapshot, one at a time: no atomic. In the child of a fork it may be half
// used, which does not matter to the next one.
constinit Workspace* g_workspace = nullptr;

Workspace* get_workspace() {
  if (g_workspace == nullptr) {
    g_workspace = static_cast<Workspace*>(runtime::map_pages(sizeof(Workspace)));
  }
  return g_workspace;
}

// Gives back what a large snapshot has touched. Another thread may fork at any moment: its child
// must not find a workspace that is no more.
void tidy_workspace(std::uint64_t file_bytes) {
  if (file_bytes > kSmallFileBytes) {
    Workspace* large = g_workspace;
    g_workspace = nullptr;
    runtime::unmap_pages(large, sizeof(Workspace));
  }
}

// Strings are collected by length first and written last, in the same order.
class StringSection {
 public:
  format::StringRef add(std::string_view text) {
    const format::StringRef ref{size_, static_cast<std::uint32_t>(text.size())};
    size_ += ref.length;
    return ref;
  }
  // Where a stream that is written behind all of them begins.
  [[nodiscard]] std::uint32_t end() const { return size_; }

 private:
  std::uint32_t size_ = 0;
};

template <typename Record>
void put_section(FileBuilder& file, SectionId id, const Record& record) {
  file.begin_section(id, sizeof(Record));
  file.put(&record, sizeof(record));
  file.end_section();
}

void put_process(FileBuilder& file, const Description& description, StringSection& strings) {
  format::ProcessRecord record = description.process;
  record.exe = strings.add(description.exe);
  record.command = strings.add(description.command);
  record.host = strings.add(description.host);
  record.mark = strings.add(description.mark);
  record.end_function = strings.add(description.end_function);
  record.unit = strings.add(description.unit);
  put_section(file, SectionId::kProcess, record);
}

void put_modules(FileBuilder& file, unsigned count, StringSection& strings) {
  file.begin_section(SectionId::kModules, sizeof(format::ModuleRecord));
  const format::ModuleRecord none{};
  file.put(&none, sizeof(none));
  for (unsigned id = 1; id <= count; ++id) {
    const stack::Module& module = *stack::module_at(id);
    const stack::Load& load = stack::load_of(module);
    format::ModuleRecord record{};
    record.path = strings.add(module.path);
    record.build_id = strings.add(module.build_id);
    record.base = load.image.bias;
    record.begin = load.image.begin;
    record.end = load.image.end;
    record.flags = load.mapped.load(std::memory_order_relaxed) ? 0 : format::kModuleUnloaded;
    file.put(&record, sizeof(record));
  }
  file.end_section();
}

// How much of the table of script frames goes into a file: what its nodes refer to, and more.
struct ScriptPart {
  std::uint32_t frames;
  std::uint32_t text_bytes;
};

// The texts are counted last: what the records refer to lies before.
ScriptPart measure(const table::ScriptFrameTable& frames) {
  const std::uint32_t count = frames.count();
  return {count, count == 0 ? 0 : frames.texts().size()};
}

// The texts stand behind all others, as one stream.
void put_script_frames(FileBuilder& file, const table::ScriptFrameTable& frames,
                       const ScriptPart& part, const StringSection& strings) {
  if (part.frames == 0) {
    return;
  }
  file.begin_section(SectionId::kScriptFrames, sizeof(format::ScriptFrameRecord));
  for (std::uint32_t id = 0; id < part.frames; ++id) {
    const format::ScriptFrameRecord* known = frames.record(id);
    format::ScriptFrameRecord record = known == nullptr ? format::ScriptFrameRecord{} : *known;
    for (format::StringRef* ref : {&record.function, &record.file}) {
      const bool is_there = ref->offset + ref->length <= part.text_bytes;
      *ref = is_there ? format::StringRef{strings.end() + ref->offset, ref->length}
                      : format::StringRef{0, 0};  // of a record that is being made
    }
    file.put(&record, sizeof(record));
  }
  file.end_section();
}

void put_strings(FileBuilder& file, const Description& description, unsigned module_count,
                 const table::TextTable& script_texts, std::uint32_t script_bytes) {
  file.begin_section(SectionId::kStrings, 1);
  for (const std::string_view text :
       {description.exe, description.command, description.host, description.mark,
        description.end_function, description.unit}) {
    file.put(text.data(), text.size());
  }
  for (unsigned id = 1; id <= module_count; ++id) {
    const stack::Module& module = *stack::module_at(id);
    file.put(module.path.data(), module.path.size());
    file.put(module.build_id.data(), module.build_id.size());
  }
  script_texts.visit(script_bytes,
                     [&file](const char* text, std::size_t bytes) { file.put(text, bytes); });
  file.end_section();
}

void put_nodes(FileBuilder& file, const table::StackTable& stacks, std::uint32_t count) {
  file.begin_section(SectionId::kNodes, sizeof(format::NodeRecord));
  const format::NodeRecord none{};
  for (std::uint32_t id = 0; id < count;) {
    const format::NodeRecord* node = stacks.node(id);
    std::uint32_t run = 1;  // that stand one behind the other
    while (node != nullptr && id + run < count && stacks.node(id + run) == node + run) {
      ++run;
    }
    file.put(node == nullptr ? &none : node, run * sizeof(none));
    id += run;
  }
  file.end_section();
}

format::SiteRecord describe_site(const Description& description, const table::SiteEntry& entry,
                                 std::uint32_t id, const LiveWalk& walk) {
  const SiteTally& tally = walk.tally(id);
  format::SiteRecord record{};
  record.node = entry.node;
  record.kind = entry.kind;
  record.allocated_blocks = walk.births(id).blocks;
  record.allocated_bytes = walk.births(id).bytes;
  if (id < description.births_at_fork_count) {
    record.allocated_blocks -= description.births_at_fork[id].blocks;
    record.allocated_bytes -= description.births_at_fork[id].bytes;
  }
  if (walk.is_estimated(static_cast<format::SiteKind>(entry.kind))) {
    record.allocated_blocks = recorder::whole_blocks(record.allocated_blocks);
    record.allocated_bytes = recorder::whole_bytes(record.allocated_bytes);
  }
  record.live_blocks = tally.live_blocks;
  record.live_bytes = tally.live_bytes;
  record.inherited_blocks = tally.inherited_blocks;
  record.inherited_bytes = tally.inherited_bytes;
  if (tally.live_blocks != 0 && tally.oldest_birth < walk.now_tick()) {
    record.oldest_ms = std::uint64_t{walk.now_tick() - tally.oldest_birth} << recorder::kTickShift;
  }
  return record;
}

void put_sites(FileBuilder& file, const Description& description, const table::SiteTable& sites,
               const LiveWalk& walk) {
  file.begin_section(SectionId::kSites, sizeof(format::SiteRecord));
  for (std::uint32_t id = 0; id < walk.site_count(); ++id) {
    const table::SiteEntry* entry = sites.find(id);
    const format::SiteRecord record =
        entry == nullptr ? format::SiteRecord{} : describe_site(description, *entry, id, walk);
    file.put(&record, sizeof(record));
  }
  file.end_section();
}

void put_ages(FileBuilder& file, const LiveWalk& walk) {
  file.begin_section(SectionId::kAges, sizeof(format::AgeRecord));
  for (std::uint32_t id = 0; id < walk.site_count(); ++id) {
    for (const AgeTally* age = walk.ages(id); age != nullptr; age = walk.next(*age)) {
      const format::AgeRecord record{id, age->age_class, age->blocks, age->bytes};
      file.put(&record, sizeof(record));
    }
  }
  file.end_section();
}

// Square roots are taken in real_math.cpp, inside the environment that the caller sets.
format::EstimateRecord describe_estimate(std::uint32_t site, const EstimateTally& tally) {
  const double bytes_error = runtime::square_root(tally.variance.bytes);
  const double blocks_error = runtime::square_root(tally.variance.blocks);
  return {site, 0, tally.sampled_blocks, static_cast<std::uint64_t>(runtime::nearest(bytes_error)),
          static_cast<std::uint64_t>(runtime::nearest(blocks_error))};
}

void put_estimates(FileBuilder& file, const LiveWalk& walk) {
  if (walk.estimates() == nullptr) {
    return;
  }
  const runtime::FloatEnvironment environment;
  file.begin_section(SectionId::kEstimates, sizeof(format::EstimateRecord));
  for (std::uint32_t id = 0; id < walk.site_count(); ++id) {
    if (walk.estimates()[id].sampled_blocks != 0) {
      const format::EstimateRecord record = describe_estimate(id, walk.estimates()[id]);
      file.put(&record, sizeof(record));
    }
  }
  file.end_section();
}

void put_losses(FileBuilder& file) {
  file.begin_section(SectionId::kLosses, sizeof(format::LossRecord));
  for (std::uint32_t id = 0; id < format::kLossCount; ++id) {
    const format::LossRecord record{id, 0, recorder::g_losses[id].load(std::memory_order_relaxed)};
    file.put(&record, sizeof(record));
  }
  file.end_section();
}

template <typename Record>
void put_list(FileBuilder& file, SectionId id, const scan::Pages<Record>& records) {
  if (records.size() != 0) {
    file.begin_section(id, sizeof(Record));
    file.put(records.begin(), records.size() * sizeof(Record));
    file.end_section();
  }
}

void put_scan(FileBuilder& file, const scan::Answer& scan) {
  put_section(file, SectionId::kScan, scan.record);
  put_list(file, SectionId::kUnreachable, scan.unreachable);
  put_list(file, SectionId::kChains, scan.chains);
  put_list(file, SectionId::kLinks, scan.links);
  put_list(file, SectionId::kHolderTexts, scan.holder_texts);
  put_list(file, SectionId::kKept, scan.kept);
}

// What goes into a file.
struct Content {
  const Description& description;
  recorder::Tables& tables;
  const LiveWalk& walk;
  const scan::Answer* scan;
};

// Sites were counted before nodes, and nodes before modules and script frames: what a section
// refers to is in the section that it refers to.
int put_all(FileBuilder& file, const Content& content, Outcome& outcome) {
  const auto& [description, tables, walk, scan] = content;
  const std::uint32_t node_count = tables.stacks.count();
  const unsigned module_count = stack::module_count();
  const ScriptPart script = measure(tables.script_frames);
  StringSection strings;
  put_process(file, description, strings);
  put_modules(file, module_count, strings);
  put_nodes(file, tables.stacks, node_count);
  put_sites(file, description, tables.sites, walk);
  put_ages(file, walk);
  const format::AccountingRecord accounting =
      account(walk.live_bytes(), walk.mmap_bytes(), description.limits);
  outcome.tracker_bytes = accounting.tracker_bytes;
  put_section(file, SectionId::kAccounting, accounting);
  put_losses(file);
  put_estimates(file, walk);
  if (scan != nullptr) {
    put_scan(file, *scan);
  }
  put_script_frames(file, tables.script_frames, script, strings);
  put_strings(file, description, module_count, tables.script_frames.texts(), script.text_bytes);
  return file.finish();
}

void remove_file(int directory, const char* name) {
  runtime::raw_syscall(__NR_unlinkat, directory, runtime::as_argument(name), 0);
}

// A file of that name is left of a snapshot that was broken off: nobody else makes it.
int create_file(int directory, const char* name) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  const int fd = runtime::open_file(directory, name, kFlags, 0600);
  if (fd != -EEXIST) {
    return fd;
  }
  remove_file(directory, name);
  return runtime::open_file(directory, name, kFlags, 0600);
}

int write_file(int directory, const char* name, const Content& content, Workspace& workspace,
               Outcome& outcome) {
  const int fd = create_file(directory, name);
  if (fd < 0) {
    return fd;
  }
  FileBuilder file(fd, workspace.file);
  const int error = put_all(file, content, outcome);
  outcome.file_bytes = file.bytes_written();
  runtime::close_file(fd);
  return error;
}

int write_and_rename(int directory, const char* name, const Content& content, Workspace& workspace,
                     Outcome& outcome) {
  runtime::Text<280> temporary;
  temporary.add(".").add(runtime::view_of(name)).add(".tmp");
  int error = write_file(directory, temporary.c_str(), content, workspace, outcome);
  if (error == 0) {
    error = static_cast<int>(runtime::raw_syscall(__NR_renameat, directory,
                                                  runtime::as_argument(temporary.c_str()),
                                                  directory, runtime::as_argument(name)));
  }
  if (error != 0) {
    remove_file(directory, temporary.c_str());
  }
  return error;
}

}  // namespace

Outcome write(int directory, const char* name, const Description& description,
              recorder::Tables& tables, const scan::Answer* scan) {
  Outcome outcome;
  const std::uint64_t begin = runtime::thread_cpu_ns();
  Workspace* workspace = get_workspace();
  LiveWalk walk(description.now_tick, description.fork_tick, description.process.sample_bytes);
  if (workspace == nullptr || !walk.run(tables, {workspace->sums, sizeof(workspace->sums)})) {
    outcome.error = -ENOMEM;
    return outcome;
  }
  Description timed = description;
  timed.process.walk_ns = runtime::thread_cpu_ns() - begin;
  outcome.live_blocks = walk.live_blocks();
  outcome.live_bytes = walk.live_bytes();
  outcome.error =
      write_and_rename(directory, name, {timed, tables, walk, scan}, *workspace, outcome);
  tidy_workspace(outcome.file_bytes);
  return outcome;
}

}  // namespace seep::snapshot
