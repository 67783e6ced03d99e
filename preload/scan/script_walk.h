// Follows the values of a script, in the words of its language. Context: IN-FORK-CHILD.
//
// As the marker does, from roots and breadth first, so that a value is met by a shortest chain of
// names. But only what the interpreter itself calls a value is followed, so a chain says who holds
// it: "static Pool::$jobs[*] -> Job::$log". Blocks and objects that a value is made of are counted
// by their site and that chain.
#pragma once

#include <cstddef>
#include <cstdint>

#include "preload/scan/address_set.h"
#include "preload/scan/chains.h"
#include "preload/scan/fifo.h"
#include "preload/scan/marker.h"
#include "preload/scan/memory_map.h"
#include "preload/scan/nodes.h"
#include "preload/script/graph.h"

namespace seep::scan {

class ScriptWalk {
 public:
  ScriptWalk(const script::Graph& graph, const Nodes& nodes, const MemoryMap& memory,
             const Deadline& deadline)
      : graph_(graph),
        nodes_(nodes),
        memory_map_(memory),
        deadline_(deadline),
        memory_(this, is_there, find_block),
        sink_(this, kSinkFunctions, memory_) {}
  ScriptWalk(const ScriptWalk&) = delete;
  ScriptWalk& operator=(const ScriptWalk&) = delete;

  // False when the kernel has no memory. To be called once, before all else.
  bool map(std::size_t sites) {
    return counts_.map(sites) && ways_.map() && values_.map() && visited_.map() && counted_.map() &&
           types_.map(Ways::kMostWays);
  }
  // A site whose blocks are counted.
  void choose(std::uint32_t site) { counts_.choose(site); }
  // Adds the sites of blocks that the interpreter only keeps to use them again, ascending. False
  // when the deadline passed, or there was no memory.
  bool list_kept(std::uint32_t sites, Pages<format::KeptRecord>& kept);
  // Follows all values. False when the deadline passed, or there was no memory for the queue.
  bool run();

  // After run(): how many blocks of which site are held in which way, by site, most first.
  const Pages<HolderCounts::Count>& counts() { return counts_.sort(); }
  // The holders of a way, one a line: "static Pool::$jobs[*] (array, 400 elements)\nJob::$log".
  struct Style {
    bool keys;   // else they are elements like others: [*]
    bool types;  // what is in parentheses
  };
  void write(WayId way, Style style, script::GraphText& text) const;
  [[nodiscard]] script::LabelKind root_of(WayId way) const;

 private:
  struct Entry {
    script::Value value;
    WayId way;
    bool is_part;  // of one that has told what it is
  };
  // What the values of a way are.
  struct Type {
    std::uint64_t type;      // 0: they are not all the same
    std::uint64_t elements;  // of all of them
    std::uint32_t values;
    bool is_counted;
  };
  // Kinds of links in ways_, beyond those of the format: script::LabelKind and Label::sort.
  static constexpr std::uint32_t kFirstKind = 64;
  static constexpr unsigned kValuesPerLook = 1024;

  static const script::GraphSink::Functions kSinkFunctions;
  static bool is_there(const void* walk, std::uintptr_t begin, std::size_t bytes);
  static bool find_block(const void* walk, std::uintptr_t address, runtime::MemoryRange& block);

  void lead(const script::Label& label, script::Value to);
  void count(std::uintptr_t address);
  void describe(const script::Container& container);
  bool drain();
  [[nodiscard]] WayId extend(const script::Label& label);
  void write_type(WayId way, script::GraphText& text) const;
  void write_label(const script::Label& label, bool keys, script::GraphText& text) const;

  const script::Graph& graph_;
  const Nodes& nodes_;
  const MemoryMap& memory_map_;
  const Deadline& deadline_;
  script::GraphMemory memory_;
  script::GraphSink sink_;
  mutable std::uintptr_t there_begin_ = 0;  // memory that was found to be there last
  mutable std::uintptr_t there_end_ = 0;
  Ways ways_;
  WayCounts counts_{ways_};
  Pages<Type> types_;  // by way
  Fifo<Entry> values_;
  AddressSet visited_;
  AddressSet counted_;
  WayId way_ = kUnknownWay;  // of the value that is visited
  bool is_told_ = false;     // what it is, or what it is a part of
  bool overflowed_ = false;
  bool is_late_ = false;  // the deadline passed
};

}  // namespace seep::scan
