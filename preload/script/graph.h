// The values that a script can reach, as an interpreter keeps them: a graph whose edges have names.
// Context: IN-FORK-CHILD: nothing moves, nothing of the interpreter is called. What is read may be
// half changed, since a thread was stopped anywhere: every pointer is asked for before it is
// followed.
//
//   roots -- static Pool::$jobs --> array -- ["mail"] --> object -- Job::$log --> string
//
// A language has a file pair here that reads its values (php_graph); the walk over them is scan's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "preload/runtime/arena.h"
#include "preload/runtime/text.h"

namespace seep::script {

struct Value {
  std::uintptr_t address = 0;
  std::uint32_t kind = 0;  // the language's; kLeaf: nothing is behind it
};
inline constexpr std::uint32_t kLeaf = 0;

enum class LabelKind : std::uint16_t {
  kGlobalRoot,  // a variable that lives as long as the script
  kLocalRoot,   // one of a function that runs
  kLooseRoot,   // no variable: only the interpreter knows of the value
  kSame,        // the value is a part of the one that leads to it
  kMember,      // of an object or the like: has a name of its own
  kKey,         // of a small container: what the language writes between brackets
  kElement,     // of a container
};
inline bool is_root(LabelKind kind) {
  return kind <= LabelKind::kLooseRoot;
}

// What an edge is called. Its text is made where it is wanted, and the words are the language's.
struct Label {
  LabelKind kind = LabelKind::kSame;
  std::uint16_t sort = 0;
  std::uint32_t number = 0;
  std::uint64_t owner = 0;
  std::uint64_t name = 0;
};

// What a value is, where it holds others.
struct Container {
  std::uint64_t type = 0;      // the language's; the same for values that are called the same
  std::uint64_t elements = 0;  // kNotCounted: it has none
};
inline constexpr std::uint64_t kNotCounted = UINT64_MAX;
// Elements of larger ones are not told apart.
inline constexpr std::uint64_t kMostKeys = 16;

using GraphText = runtime::Text<512>;

// What a reader may look at.
class GraphMemory {
 public:
  using IsThere = bool (*)(const void* context, std::uintptr_t begin, std::size_t bytes);
  // The recorded block or object that `address` lies in; false: in none.
  using FindBlock = bool (*)(const void* context, std::uintptr_t address,
                             runtime::MemoryRange& block);

  GraphMemory(const void* context, IsThere there, FindBlock find)
      : context_(context), is_there_(there), find_block_(find) {}

  [[nodiscard]] bool is_there(std::uintptr_t begin, std::size_t bytes) const {
    return is_there_(context_, begin, bytes);
  }
  bool find_block(std::uintptr_t address, runtime::MemoryRange& block) const {
    return find_block_(context_, address, block);
  }
  // The object at `address`; one of zeros where it is not there.
  template <typename T = std::uint64_t>
  [[nodiscard]] T read(std::uintptr_t address) const {
    T value{};
    if (is_there(address, sizeof(T))) {
      std::memcpy(&value, reinterpret_cast<const void*>(address), sizeof(T));
    }
    return value;
  }

 private:
  const void* context_;
  IsThere is_there_;
  FindBlock find_block_;
};

// Takes what a reader finds.
class GraphSink {
 public:
  using Lead = void (*)(void* context, const Label& label, Value to);
  using AddPart = void (*)(void* context, std::uintptr_t address);
  using Describe = void (*)(void* context, const Container& container);
  struct Functions {
    Lead lead;
    AddPart add_part;
    Describe describe;
  };

  GraphSink(void* context, const Functions& functions, const GraphMemory& memory)
      : memory_(memory), context_(context), functions_(functions) {}

  [[nodiscard]] const GraphMemory& memory() const { return memory_; }

  // The value that is visited, or the interpreter, leads to another one.
  void lead(const Label& label, Value to) { functions_.lead(context_, label, to); }
  // The memory at `address` belongs to the value that is visited.
  void add_part(std::uintptr_t address) { functions_.add_part(context_, address); }
  // What the value that is visited is.
  void describe(const Container& container) { functions_.describe(context_, container); }

 private:
  const GraphMemory& memory_;
  void* context_;
  const Functions& functions_;
};

struct Graph {
  // Whether a recorded block has only an object in it that the script has released, and that the
  // interpreter keeps to use it again. Null: the language has no such thing.
  bool (*is_kept)(const runtime::MemoryRange& block, const GraphMemory& memory);
  // Whether the interpreter may hold a block by a pointer to its end, as no other may. Null: never.
  bool (*may_be_held_by_end)(const runtime::MemoryRange& block);
  // Leads to the values that are roots. The second rank is for what no root of the first leads to.
  void (*visit_roots)(unsigned rank, GraphSink& sink);
  // Leads to the values that one leads to.
  void (*visit)(const Value& value, GraphSink& sink);
  // The words for an edge: of a key, what stands between the brackets.
  void (*name)(const Label& label, const GraphMemory& memory, GraphText& text);
  // The words for a container: "array".
  void (*name_type)(std::uint64_t type, const GraphMemory& memory, GraphText& text);
};
inline constexpr unsigned kRootRanks = 2;

// Adds text of the program, cut where it is long and without control characters.
void add_name(GraphText& text, std::string_view name, std::size_t most);

// The values of the interpreter that is read in this process; null where none is, or its values are
// not read.
const Graph* graph();

}  // namespace seep::script
