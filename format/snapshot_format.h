// The snapshot file: what libseep.so writes and the analyzer reads.
// docs/file-format.md describes the same bytes for people; change both together.
//
// All integers are little-endian and fixed-width. A file is
//
//   FileHeader | SectionEntry[section_count] | sections, each 8-byte aligned, zero padded between
//
// Every section and the section table carry a CRC-32; `file_bytes` tells a cut file from a whole
// one. A reader skips sections whose id it does not know, and accepts entries that are longer than
// the struct it knows (`entry_bytes`): that is how a minor version adds fields. A major version
// that is newer than the reader's is refused.
#pragma once

#include <cstdint>

namespace seep::format {

inline constexpr char kMagic[8] = {'S', 'E', 'E', 'P', 'S', 'N', 'A', 'P'};
inline constexpr std::uint16_t kVersionMajor = 1;
inline constexpr std::uint16_t kVersionMinor = 2;
inline constexpr std::uint32_t kSectionAlignment = 8;

// Never renumber, never reuse.
enum class SectionId : std::uint32_t {
  kProcess = 1,     // one ProcessRecord
  kStrings = 2,     // bytes that StringRef points into; not NUL terminated
  kModules = 3,     // ModuleRecord[]; index 0 means "no module" and is an empty record
  kNodes = 4,       // NodeRecord[]; index 0 is the root of all stacks
  kSites = 5,       // SiteRecord[]; index = site id, stable over one process image
  kAges = 6,        // AgeRecord[]; grouped by site, ascending
  kAccounting = 7,  // one AccountingRecord
  kLosses = 8,      // LossRecord[]; names in losses.inc
  kEstimates = 9,   // since 1.1, in sample mode only: EstimateRecord[]; ascending by site
  // Since 1.2, in the file of a scan only:
  kScan = 10,         // one ScanRecord
  kUnreachable = 11,  // UnreachableRecord[]; ascending by site
  kChains = 12,       // ChainRecord[]; grouped by site, most blocks first
  kLinks = 13,        // LinkRecord[]; that chains point into, outermost first
  // Since 1.2, where a script ran: ScriptFrameRecord[]; that nodes of kScriptModule point into.
  kScriptFrames = 14,
  // Since 1.2, in the file of a scan only: bytes that links point into; not NUL terminated.
  kHolderTexts = 15,
  kKept = 16,  // KeptRecord[]; ascending by site
};

struct FileHeader {
  char magic[8];
  std::uint16_t version_major;
  std::uint16_t version_minor;
  std::uint32_t header_bytes;  // sizeof(FileHeader)
  std::uint32_t section_count;
  std::uint32_t section_entry_bytes;  // sizeof(SectionEntry)
  std::uint64_t file_bytes;           // of the whole file
  std::uint32_t section_table_crc;    // CRC-32 of all SectionEntry bytes
  std::uint32_t header_crc;           // CRC-32 of the header with this field zero
  std::uint64_t reserved[3];
};
static_assert(sizeof(FileHeader) == 64);

struct SectionEntry {
  std::uint32_t id;           // SectionId
  std::uint32_t entry_bytes;  // size of one entry; 1 for kStrings
  std::uint64_t offset;       // from the start of the file
  std::uint64_t bytes;        // entry_bytes times the number of entries
  std::uint32_t crc;          // CRC-32 of those bytes
  std::uint32_t reserved;
};
static_assert(sizeof(SectionEntry) == 32);

// A piece of the strings section.
struct StringRef {
  std::uint32_t offset;
  std::uint32_t length;
};

// Why the snapshot was taken.
enum class Trigger : std::uint32_t {
  kStart = 0,
  kInterval = 1,
  kRequest = 2,
  kSignal = 3,
  kApi = 4,
  kMark = 5,
  kLimit = 6,
  kFork = 7,
  kExec = 8,
  kCrash = 9,
  kExit = 10,
};

enum class Mode : std::uint32_t { kExact = 0, kSample = 1 };

// How the process ended, as far as the process itself can say.
enum class End : std::uint32_t { kNotYet = 0, kExit = 1, kSignal = 2, kExec = 3 };

// ProcessRecord::flags
inline constexpr std::uint32_t kHasUnits = 1;           // `units` was given or counted
inline constexpr std::uint32_t kForkedImage = 2;        // began as a fork: blocks may be inherited
inline constexpr std::uint32_t kStartedDirectly = 4;    // the process that the user started
inline constexpr std::uint32_t kBeganLate = 8;          // what was allocated before is unknown
inline constexpr std::uint32_t kWasPaused = 16;         // what was allocated in pauses is unknown
inline constexpr std::uint32_t kUnitsAreRequests = 32;  // `units` are those that PHP has served

struct ProcessRecord {
  std::uint64_t run_id;           // the same for all processes of one run
  std::uint64_t started_unix_ns;  // wall clock when this image began to be recorded
  std::uint64_t time_ms;          // monotonic time from then to this snapshot, without pauses
  std::uint64_t start_ticks;      // /proc/PID/stat field 22: tells a PID from its reuse
  std::uint64_t units;            // units of work done since start, with kHasUnits
  std::uint64_t sample_bytes;     // mean bytes between samples in kSample, else 0
  std::uint64_t walk_ns;          // processor time of walking the live blocks for this snapshot
  std::uint32_t sequence;         // 1, 2, … over the life of the image
  std::uint32_t trigger;          // Trigger
  std::uint32_t mode;             // Mode
  std::uint32_t flags;
  std::uint32_t pid;       // in the process's own PID namespace
  std::uint32_t host_pid;  // in the outermost namespace that is visible; 0 unknown
  std::uint32_t parent_pid;
  std::uint32_t uid;
  std::uint32_t image;      // 1 for the first recording of this PID, 2 after an exec, …
  std::uint32_t end;        // End
  std::int32_t end_status;  // with End::kExit
  std::int32_t end_signal;  // with End::kSignal
  StringRef exe;            // absolute path
  StringRef command;        // arguments, each followed by a NUL
  StringRef host;           // host name
  StringRef mark;           // label of a kMark snapshot
  StringRef end_function;   // what ended it: "exit", "_exit", "main", "execve"
  StringRef unit;           // since 1.2: what a unit of work is called; empty: nothing said
};
static_assert(sizeof(ProcessRecord) == 152);
inline constexpr std::uint32_t kLeastProcessBytes = 144;  // of older files

// ModuleRecord::flags
inline constexpr std::uint32_t kModuleUnloaded = 1;  // was mapped once, is not any more

// A file mapped with code in it. A frame keeps (module, offset) from the moment its stack was
// captured, so a library unloaded and another one loaded at its place cannot be confused.
struct ModuleRecord {
  StringRef path;
  StringRef build_id;   // raw bytes; empty when the file has none
  std::uint64_t base;   // load bias: run-time address minus ELF virtual address
  std::uint64_t begin;  // first mapped address
  std::uint64_t end;    // one past the last
  std::uint32_t flags;
  std::uint32_t reserved;
};
static_assert(sizeof(ModuleRecord) == 48);

// NodeRecord::flags
inline constexpr std::uint32_t kExactPc = 1;  // the address itself executes (a frame interrupted by
                                              // a signal); otherwise it is a return address
inline constexpr std::uint32_t kHeuristic = 2;  // found without unwind information
inline constexpr std::uint32_t kCut = 4;        // frames further out were dropped (depth limit)

inline constexpr unsigned kFrameModuleShift = 48;
inline constexpr std::uint64_t kFrameOffsetMask = (std::uint64_t{1} << kFrameModuleShift) - 1;

inline constexpr std::uint64_t kScriptModule = 0xFFFF;  // no module: the frame of a script

// One frame of a stack; a stack is a node and its ancestors, innermost first.
//
//   frame:  63…48 module index | 47…0 ELF virtual address in it (for module 0: absolute address;
//           for kScriptModule: index into kScriptFrames)
struct NodeRecord {
  std::uint64_t frame;
  std::uint32_t parent;  // the caller; always smaller than this node's own index
  std::uint32_t flags;
};
static_assert(sizeof(NodeRecord) == 16);

enum class ScriptLanguage : std::uint32_t { kPhp = 1, kPython = 2 };

// A line of a script that was met on a stack, by content: no two records are equal but by a race.
// Script frames stand before the native frames of their interpreter, whose loop is the last of
// those.
struct ScriptFrameRecord {
  StringRef function;      // "Pool::run"; "{main}" outside of functions, "[compile]" of a file
  StringRef file;          // empty: a function of the interpreter or of an extension
  std::uint32_t line;      // from 1 on; 0: unknown
  std::uint32_t language;  // ScriptLanguage
};
static_assert(sizeof(ScriptFrameRecord) == 24);

enum class SiteKind : std::uint32_t { kHeap = 0, kMmap = 1, kFd = 2, kThread = 3 };

// An allocation site: everything allocated under one call stack.
// A process image that began as a fork has blocks of its parent: they count as live and as
// inherited, never as allocated. Freed by this image = allocated - (live - inherited).
struct SiteRecord {
  std::uint32_t node;              // the innermost frame of its stack
  std::uint32_t kind;              // SiteKind
  std::uint64_t allocated_blocks;  // births in this image
  std::uint64_t allocated_bytes;
  std::uint64_t live_blocks;
  std::uint64_t live_bytes;
  std::uint64_t inherited_blocks;  // of the live ones, those older than this image
  std::uint64_t inherited_bytes;
  std::uint64_t oldest_ms;  // age of its oldest live block
};
static_assert(sizeof(SiteRecord) == 64);

// In sample mode the figures of a heap site are unbiased estimates; this tells how good those of
// its live blocks are. A site without a record has no live block that was recorded. Maps are not
// sampled. Sites are sampled independently: variances add up.
struct EstimateRecord {
  std::uint32_t site;
  std::uint32_t reserved;
  std::uint64_t sampled_blocks;     // recorded, of those that are alive
  std::uint64_t live_bytes_error;   // standard error of SiteRecord::live_bytes
  std::uint64_t live_blocks_error;  // of SiteRecord::live_blocks
};
static_assert(sizeof(EstimateRecord) == 32);

// Ages of live blocks. Class 0: under 64 ms; class k: [64·2^(k-1), 64·2^k) ms.
inline constexpr std::uint32_t kAgeClasses = 32;
inline constexpr unsigned kAgeClassZeroShift = 6;

struct AgeRecord {
  std::uint32_t site;
  std::uint32_t age_class;
  std::uint64_t blocks;
  std::uint64_t bytes;
};
static_assert(sizeof(AgeRecord) == 24);

// Where the resident memory is, from /proc/self/{smaps_rollup,maps,statm}; bytes.
struct AccountingRecord {
  std::uint64_t rss_bytes;
  std::uint64_t tracked_live_bytes;        // requested sizes of all live blocks and maps
  std::uint64_t allocator_retained_bytes;  // resident heap that no live block covers
  std::uint64_t mmap_bytes;                // live maps made by the program
  std::uint64_t stack_bytes;
  std::uint64_t file_bytes;
  std::uint64_t shared_bytes;
  std::uint64_t tracker_bytes;  // resident, of seep's own tables
  std::uint64_t other_bytes;
  std::uint64_t limit_bytes;  // cgroup limit, or 0
  // Since 1.2. The limits are the soft ones of setrlimit(2); 0: none.
  std::uint64_t address_bytes;        // address space, which RLIMIT_AS limits
  std::uint64_t address_limit_bytes;  // RLIMIT_AS
  std::uint64_t data_bytes;           // private writable memory, which RLIMIT_DATA limits
  std::uint64_t data_limit_bytes;     // RLIMIT_DATA
  // PHP's own allocator, which memory_limit limits; all 0 where PHP's heap is not known.
  std::uint64_t script_limit_bytes;  // memory_limit; 0: none
  std::uint64_t script_real_bytes;   // taken from the system: what the limit is compared with
  std::uint64_t script_peak_bytes;   // the most that this was, in the request
  std::uint64_t script_used_bytes;   // of what is taken, in use
};
static_assert(sizeof(AccountingRecord) == 144);
inline constexpr std::uint32_t kLeastAccountingBytes = 80;  // of older files

// When a scan for unreachable memory was made.
enum class ScanTime : std::uint32_t { kExit = 0, kRequest = 1, kSnapshot = 2 };

// Why its figures cannot be trusted, or are missing.
enum class ScanProblem : std::uint32_t {
  kNone = 0,
  kTimeLimit = 1,      // SEEP_SCAN_LIMIT passed
  kNoRegisters = 2,    // other threads could not be stopped: registers and stacks below unknown
  kNoFork = 3,         // no copy of the process could be made
  kNoMemory = 4,       // of the scanner
  kSampled = 5,        // sample mode: most blocks have no record
  kPartHistory = 6,    // recording began late, was paused or lost events
  kUnreadableMaps = 7  // /proc/self/maps
};

// One look for memory that no pointer leads to. `unreachable` is claimed only when complete is 1.
struct ScanRecord {
  std::uint32_t when;      // ScanTime
  std::uint32_t complete;  // 1: every root was seen
  std::uint32_t problem;   // ScanProblem
  std::uint32_t threads;   // stopped for it, the calling one not counted
  std::uint64_t pause_ns;  // longest time that a thread of the program was stopped
  std::uint64_t fork_ns;   // of that, the fork
  std::uint64_t scan_ns;   // of the copy, beside the program
  std::uint64_t blocks;    // alive when the copy was made
  std::uint64_t root_bytes;
};
static_assert(sizeof(ScanRecord) == 56);

// Blocks of a site that no root leads to: direct, those that no other unreachable block points to
// (Valgrind: definitely lost), and indirect, those that are lost with one.
struct UnreachableRecord {
  std::uint32_t site;
  std::uint32_t reserved;
  std::uint64_t direct_blocks;
  std::uint64_t direct_bytes;
  std::uint64_t indirect_blocks;
  std::uint64_t indirect_bytes;
};
static_assert(sizeof(UnreachableRecord) == 40);

// Blocks of a site with objects that a script has released, and its interpreter keeps to use them
// again: it does so without a call of the allocator, so the site is that of their first use.
struct KeptRecord {
  std::uint32_t site;
  std::uint32_t reserved;
  std::uint64_t blocks;
  std::uint64_t bytes;
};
static_assert(sizeof(KeptRecord) == 24);

// How reachable blocks of a site are held: the commonest shortest chains from a root.
struct ChainRecord {
  std::uint32_t site;
  std::uint32_t links_begin;  // into kLinks
  std::uint32_t links_count;
  std::uint32_t sampled_blocks;  // blocks of the site whose chain was followed
  std::uint64_t blocks;          // of those, held in this way
};
static_assert(sizeof(ChainRecord) == 24);

enum class LinkKind : std::uint32_t {
  kGlobal = 0,    // a word of a module's data: module, offset
  kStack = 1,     // of a thread's stack: thread
  kTls = 2,       // of its thread-local storage: thread
  kRegister = 3,  // thread
  kMap = 4,       // of a mapping made by the program: site, or 0
  kOther = 5,     // of writable memory of unknown origin
  kBlock = 6,     // a block: site, and where in it the next pointer lies
  // Values of a script, in the words of its language. A chain has either none of these or nothing
  // else; it begins with one of the first two, or with a value that no variable leads to.
  kScriptGlobal = 7,  // a variable that lives as long as the script
  kScriptLocal = 8,   // one of a function that runs
  kScriptValue = 9,   // what the one before leads to
};

// One hop of a chain: a root, or a block that points to the next.
struct LinkRecord {
  std::uint32_t kind;    // LinkKind
  std::uint32_t site;    // of kBlock and kMap; kScript…: bytes of the text
  std::uint32_t module;  // of kGlobal
  std::uint32_t thread;  // id, of kStack, kTls and kRegister
  // kGlobal: ELF virtual address of the word; kBlock: in the block; kScript…: of the text, in
  // kHolderTexts.
  std::uint64_t offset;
};
static_assert(sizeof(LinkRecord) == 24);

struct LossRecord {
  std::uint32_t id;  // Loss in losses.h
  std::uint32_t reserved;
  std::uint64_t count;
};
static_assert(sizeof(LossRecord) == 16);

}  // namespace seep::format
