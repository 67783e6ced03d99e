#include "preload/script/python_graph.h"

#include <cstring>

#include "preload/script/python_frames.h"
#include "preload/script/python_graph_layout.h"
#include "preload/script/python_names.h"

namespace seep::script {
namespace {

// Value::kind
constexpr std::uint32_t kObject = 1;
constexpr std::uint32_t kMemory = 2;  // of a type in C, whose layout is not known

constexpr unsigned kMostInterpreters = 1000;
constexpr unsigned kMostThreads = 100000;
constexpr unsigned kMostFrames = 100000;
constexpr unsigned kMostBases = 100;
constexpr unsigned kMostMembers = 1000;
constexpr std::size_t kWord = sizeof(std::uint64_t);

const PythonGraphLayout* layout_of(const PythonLayout& layout) {
  switch (layout.minor) {
    case 11:
      return &kPythonGraph311;
    case 12:
      return &kPythonGraph312;
    default:
      return nullptr;
  }
}

class Reader {
 public:
  Reader(const PythonInterpreter& python, GraphSink& sink)
      : python_(python), layout_(*layout_of(python.layout)), sink_(sink), memory_(sink.memory()) {}

  void visit_roots();
  void visit_collected();
  void visit(const Value& value);

 private:
  struct Dict {
    std::uint64_t keys;
    std::uint64_t values;  // 0: they stand beside the keys
    std::uint64_t entries;
    std::uint64_t count;  // of entries
    bool has_hashes;
  };

  [[nodiscard]] std::uint64_t type_of(std::uint64_t object) const {
    return memory_.read(object + kObjectType);
  }
  [[nodiscard]] std::uint64_t flags_of(std::uint64_t type) const {
    return memory_.read(type + python::kTypeFlags);
  }
  [[nodiscard]] bool is_type(std::uint64_t type) const;
  [[nodiscard]] bool is_object(std::uint64_t address) const;
  [[nodiscard]] bool is_named(std::uint64_t type, const char* name) const;
  [[nodiscard]] std::uint64_t first_interpreter() const;

  void lead(const Label& label, std::uint64_t object);
  bool read_keys(std::uint64_t keys, std::uint64_t values, Dict& dict) const;
  bool read_dict(std::uint64_t object, Dict& dict) const;
  template <typename Visit>
  void visit_entries(const Dict& dict, Visit&& visit);
  template <typename Visit>
  void visit_interpreters(Visit&& visit);

  void visit_modules(std::uint64_t interpreter, bool main);
  void visit_module(std::uint64_t name, std::uint64_t module);
  void visit_threads(std::uint64_t interpreter);
  void visit_frame(std::uint64_t frame, LabelKind kind);
  [[nodiscard]] std::uint32_t line_of(std::uint64_t frame, std::uint64_t code) const;
  [[nodiscard]] Label key_label(std::uint64_t key) const;
  void visit_object(std::uint64_t object);
  bool visit_container(std::uint64_t object, std::uint64_t type, std::uint64_t flags);
  bool visit_code_holder(std::uint64_t object, std::uint64_t type);
  void visit_items(std::uint64_t items, std::uint64_t count);
  void visit_dict(std::uint64_t object, std::uint64_t type);
  void visit_set(std::uint64_t object, std::uint64_t type);
  void visit_function(std::uint64_t function);
  void visit_instance(std::uint64_t object, std::uint64_t type, std::uint64_t flags);
  void visit_attributes(std::uint64_t dict, std::uint64_t type, python::Sort sort);
  void visit_attributes_before(std::uint64_t object, std::uint64_t type);
  void visit_members(std::uint64_t object, std::uint64_t type);
  void visit_words(std::uint64_t begin, std::uint64_t end);

  const PythonInterpreter& python_;
  const PythonGraphLayout& layout_;
  GraphSink& sink_;
  const GraphMemory& memory_;
};

// ---- objects --------------------------------------------------------------------------------

bool Reader::is_type(std::uint64_t type) const {
  return type != 0 && type % kWord == 0 && (flags_of(type) & python::kIsReady) != 0 &&
         (flags_of(type_of(type)) & python::kIsType) != 0;
}

bool Reader::is_object(std::uint64_t address) const {
  return address != 0 && address % kWord == 0 && memory_.read(address) != 0 &&
         is_type(type_of(address));
}

bool Reader::is_named(std::uint64_t type, const char* name) const {
  const std::uint64_t text = memory_.read(type + python::kTypeName);
  const std::size_t bytes = std::strlen(name) + 1;
  return text != 0 && memory_.is_there(text, bytes) &&
         std::memcmp(reinterpret_cast<const void*>(text), name, bytes) == 0;
}

void Reader::lead(const Label& label, std::uint64_t object) {
  if (is_object(object)) {
    const bool holds = (flags_of(type_of(object)) & python::kIsCollected) != 0;
    sink_.lead(label, {object, holds ? kObject : kLeaf});
  }
}

bool Reader::read_keys(std::uint64_t keys, std::uint64_t values, Dict& dict) const {
  const auto log_bytes = memory_.read<std::uint8_t>(keys + python::kKeysLogBytes);
  constexpr unsigned kMostLogBytes = 40;
  dict = {keys, values, keys + python::kKeysIndex + (std::uint64_t{1} << (log_bytes % 64)),
          memory_.read(keys + python::kKeysUsed),
          memory_.read<std::uint8_t>(keys + python::kKeysKind) == 0};
  const std::uint64_t entry_bytes = dict.has_hashes ? 3 * kWord : 2 * kWord;
  return keys != 0 && log_bytes < kMostLogBytes && dict.count < python::kMostElements &&
         memory_.is_there(dict.entries, dict.count * entry_bytes) &&
         (values == 0 || memory_.is_there(values, dict.count * kWord));
}

bool Reader::read_dict(std::uint64_t object, Dict& dict) const {
  return object != 0 && (flags_of(type_of(object)) & python::kIsDict) != 0 &&
         read_keys(memory_.read(object + python::kDictKeys),
                   memory_.read(object + python::kDictValues), dict);
}

// Calls visit(key, value) for entries that have both.
template <typename Visit>
void Reader::visit_entries(const Dict& dict, Visit&& visit) {
  const std::uint64_t entry_words = dict.has_hashes ? 3 : 2;
  for (std::uint64_t i = 0; i < dict.count; ++i) {
    const std::uint64_t key = dict.entries + (i * entry_words + (dict.has_hashes ? 1 : 0)) * kWord;
    const std::uint64_t value =
        memory_.read(dict.values != 0 ? dict.values + i * kWord : key + kWord);
    if (value != 0) {
      visit(memory_.read(key), value);
    }
  }
}

// ---- roots ----------------------------------------------------------------------------------

std::uint64_t Reader::first_interpreter() const {
  const auto ending = reinterpret_cast<std::uint64_t>(python_.ending);
  return ending == 0 ? 0
                     : memory_.read(ending - python_.layout.runtime_ending + layout_.interpreters);
}

template <typename Visit>
void Reader::visit_interpreters(Visit&& visit) {
  std::uint64_t interpreter = first_interpreter();
  for (unsigned i = 0; interpreter != 0 && i < kMostInterpreters; ++i) {
    visit(interpreter);
    interpreter = memory_.read(interpreter + python::kNextInterpreter);
  }
}

// What a module has from another one is the other's: the program's own is looked at last.
void Reader::visit_roots() {
  visit_interpreters([&](std::uint64_t interpreter) { visit_modules(interpreter, false); });
  visit_interpreters([&](std::uint64_t interpreter) { visit_modules(interpreter, true); });
  visit_interpreters([&](std::uint64_t interpreter) { visit_threads(interpreter); });
}

void Reader::visit_modules(std::uint64_t interpreter, bool main) {
  Dict modules{};
  if (read_dict(memory_.read(interpreter + layout_.modules), modules)) {
    visit_entries(modules, [&](std::uint64_t name, std::uint64_t module) {
      if (is_object(module) && is_named(type_of(module), "module") &&
          python::is_text(python_.layout, name, "__main__") == main) {
        visit_module(name, module);
      }
    });
  }
}

void Reader::visit_module(std::uint64_t name, std::uint64_t module) {
  Dict dict{};
  if (!read_dict(memory_.read(module + python::kModuleDict), dict)) {
    return;
  }
  visit_entries(dict, [&](std::uint64_t key, std::uint64_t value) {
    if (is_object(value) && !is_named(type_of(value), "module")) {
      lead({LabelKind::kGlobalRoot, python::kVariable, 0, name, key}, value);
    }
  });
}

void Reader::visit_threads(std::uint64_t interpreter) {
  std::uint64_t thread = memory_.read(interpreter + layout_.threads);
  for (unsigned i = 0; thread != 0 && i < kMostThreads; ++i) {
    std::uint64_t frame = memory_.read(thread + python_.layout.thread_frame);
    if (python_.layout.c_frame != kNoOffset && frame != 0) {
      frame = memory_.read(frame + python_.layout.c_frame);
    }
    for (unsigned j = 0; frame != 0 && j < kMostFrames; ++j) {
      visit_frame(frame, LabelKind::kLocalRoot);
      frame = memory_.read(frame + python_.layout.frame_previous);
    }
    thread = memory_.read(thread + python::kNextThread);
  }
}

std::uint32_t Reader::line_of(std::uint64_t frame, std::uint64_t code) const {
  PythonLine line;
  const PythonInstruction instruction{code, memory_.read(frame + python_.layout.frame_instruction)};
  return read_python_line(python_.layout, instruction, line) ? line.line : 0;
}

void Reader::visit_frame(std::uint64_t frame, LabelKind kind) {
  const std::uint64_t code = memory_.read(frame + python_.layout.frame_code);
  if (!is_object(code) || type_of(code) != python_.code_type) {
    return;
  }
  const std::uint64_t count = memory_.read<std::uint32_t>(code + layout_.local_count);
  const std::uint64_t names = memory_.read(code + python::kCodeLocals);
  if (count == 0 || count > python::kMostLocals || memory_.read(names + kVarSize) < count) {
    return;
  }
  const std::uint32_t line = line_of(frame, code);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t name = memory_.read(names + python::kTupleItems + i * kWord);
    lead({kind, python::kLocal, line, code, name},
         memory_.read(frame + python::kFrameLocals + i * kWord));
  }
}

// Objects that only others in a cycle hold, or that a library keeps: the collector knows them.
void Reader::visit_collected() {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 32;
  visit_interpreters([&](std::uint64_t interpreter) {
    for (std::uint64_t i = 0; i < python::kGenerations; ++i) {
      const std::uint64_t list = interpreter + layout_.collected + i * python::kGenerationBytes;
      std::uint64_t next = memory_.read(list);
      for (std::uint64_t j = 0; next != list && next != 0 && j < kMost; ++j) {
        const std::uint64_t object = next + python::kCollectorBytes;
        lead({LabelKind::kLooseRoot, python::kLoose, 0, type_of(object), 0}, object);
        next = memory_.read(next) & ~python::kCollectorMarks;
      }
    }
  });
}

// ---- values that hold others ----------------------------------------------------------------

Label Reader::key_label(std::uint64_t key) const {
  const std::uint64_t flags = flags_of(type_of(key));
  if ((flags & python::kIsText) != 0) {
    return {LabelKind::kKey, python::kTextKey, 0, 0, key};
  }
  const std::uint64_t number = memory_.read<std::uint32_t>(key + python::kIntDigit);
  const bool is_small = memory_.read(key + kVarSize) == (layout_.values_are_marked ? 8U : 1U);
  return (flags & python::kIsInt) != 0 && is_small
             ? Label{LabelKind::kKey, python::kNumberKey, 0, 0, number}
             : Label{LabelKind::kElement};
}

void Reader::visit_items(std::uint64_t items, std::uint64_t count) {
  if (count >= python::kMostElements || !memory_.is_there(items, count * kWord)) {
    return;
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    const Label label = count <= kMostKeys ? Label{LabelKind::kKey, python::kNumberKey, 0, 0, i}
                                           : Label{LabelKind::kElement};
    lead(label, memory_.read(items + i * kWord));
  }
}

void Reader::visit_dict(std::uint64_t object, std::uint64_t type) {
  Dict dict{};
  if (!read_dict(object, dict)) {
    return;
  }
  const std::uint64_t used = memory_.read(object + python::kDictUsed);
  sink_.describe({type, used});
  sink_.add_part(dict.keys);
  sink_.add_part(dict.values);
  visit_entries(dict, [&](std::uint64_t key, std::uint64_t value) {
    const Label label = used <= kMostKeys ? key_label(key) : Label{LabelKind::kElement};
    lead(label, value);
    lead(label, key);
  });
}

void Reader::visit_set(std::uint64_t object, std::uint64_t type) {
  const std::uint64_t mask = memory_.read(object + python::kSetMask);
  const std::uint64_t table = memory_.read(object + python::kSetTable);
  sink_.describe({type, memory_.read(object + python::kSetUsed)});
  if (mask >= python::kMostElements || !memory_.is_there(table, (mask + 1) * 2 * kWord)) {
    return;
  }
  sink_.add_part(table);
  for (std::uint64_t i = 0; i <= mask; ++i) {
    lead({LabelKind::kElement}, memory_.read(table + i * 2 * kWord));
  }
}

bool Reader::visit_container(std::uint64_t object, std::uint64_t type, std::uint64_t flags) {
  const std::uint64_t size = memory_.read(object + kVarSize);
  if ((flags & python::kIsDict) != 0) {
    visit_dict(object, type);
  } else if ((flags & python::kIsList) != 0) {
    const std::uint64_t items = memory_.read(object + python::kListItems);
    sink_.describe({type, size});
    sink_.add_part(items);
    visit_items(items, size);
  } else if ((flags & python::kIsTuple) != 0) {
    sink_.describe({type, size});
    visit_items(object + python::kTupleItems, size);
  } else if (is_named(type, "set") || is_named(type, "frozenset")) {
    visit_set(object, type);
  } else {
    return false;
  }
  return true;
}

void Reader::visit_function(std::uint64_t function) {
  const std::uint64_t closure = memory_.read(function + python::kFunctionClosure);
  const std::uint64_t cells = closure == 0 ? 0 : memory_.read(closure + kVarSize);
  for (std::uint64_t i = 0; i < cells && i < python::kMostLocals; ++i) {
    const std::uint64_t cell = memory_.read(closure + python::kTupleItems + i * kWord);
    lead({LabelKind::kMember, python::kClosure, static_cast<std::uint32_t>(cells - i), function, 0},
         cell);
  }
  for (const std::uint64_t field : {python::kFunctionDefaults, python::kFunctionKeywords}) {
    lead({LabelKind::kMember, python::kDefault, 0, function, 0}, memory_.read(function + field));
  }
  sink_.add_part(closure);
  visit_attributes(memory_.read(function + python::kFunctionDict), type_of(function),
                   python::kAttribute);
}

// Of functions and what runs them. False: the object is none of these.
bool Reader::visit_code_holder(std::uint64_t object, std::uint64_t type) {
  if (is_named(type, "function")) {
    visit_function(object);
  } else if (is_named(type, "cell")) {
    lead({}, memory_.read(object + python::kCellValue));
  } else if (is_named(type, "method")) {
    lead({}, memory_.read(object + python::kMethodSelf));
    lead({}, memory_.read(object + python::kMethodFunction));
  } else if (is_named(type, "generator") || is_named(type, "coroutine") ||
             is_named(type, "async_generator")) {
    visit_frame(object + layout_.generator_frame, LabelKind::kMember);
  } else if (is_named(type, "frame")) {
    visit_frame(memory_.read(object + python::kFrameOfObject), LabelKind::kMember);
  } else {
    return is_named(type, "module") || is_named(type, "weakref") || is_named(type, "weakproxy");
  }
  return true;
}

// The dict of an instance or a class is a part of it.
void Reader::visit_attributes(std::uint64_t object, std::uint64_t type, python::Sort sort) {
  Dict dict{};
  if (!read_dict(object, dict)) {
    return;
  }
  sink_.add_part(object);
  sink_.add_part(dict.keys);
  sink_.add_part(dict.values);
  visit_entries(dict, [&](std::uint64_t key, std::uint64_t value) {
    lead({LabelKind::kMember, sort, 0, type, key}, value);
  });
}

// An instance has its attributes' values, or a dict, before it.
void Reader::visit_attributes_before(std::uint64_t object, std::uint64_t type) {
  const std::uint64_t word = memory_.read(object - python::kDictBefore);
  const bool is_marked = layout_.values_are_marked && (word & 1) != 0;
  const std::uint64_t values = layout_.values_are_marked
                                   ? (is_marked ? word + 1 : 0)
                                   : memory_.read(object - python::kValuesBefore);
  Dict dict{};
  if (values == 0) {
    visit_attributes(word, type, python::kAttribute);
  } else if (read_keys(memory_.read(type + layout_.cached_keys), values, dict)) {
    sink_.add_part(values);
    visit_entries(dict, [&](std::uint64_t key, std::uint64_t value) {
      lead({LabelKind::kMember, python::kAttribute, 0, type, key}, value);
    });
  }
}

// Slots, and what types in C tell of themselves.
void Reader::visit_members(std::uint64_t object, std::uint64_t type) {
  for (unsigned i = 0; type != 0 && i < kMostBases; ++i) {
    std::uint64_t member = memory_.read(type + python::kTypeMembers);
    for (unsigned j = 0; member != 0 && memory_.read(member) != 0 && j < kMostMembers; ++j) {
      const auto kind = memory_.read<std::uint32_t>(member + python::kMemberType);
      const std::uint64_t offset = memory_.read(member + python::kMemberOffset);
      if ((kind == python::kMemberObject || kind == python::kMemberObjectOrError) &&
          offset < python::kMostLocals) {
        lead({LabelKind::kMember, python::kSlot, 0, type, memory_.read(member)},
             memory_.read(object + offset));
      }
      member += python::kMemberBytes;
    }
    type = memory_.read(type + python::kTypeBase);
  }
}

void Reader::visit_instance(std::uint64_t object, std::uint64_t type, std::uint64_t flags) {
  const auto offset = memory_.read<std::int64_t>(type + python::kTypeDictOffset);
  if ((flags & python::kHasDict) != 0) {
    visit_attributes_before(object, type);
  } else if (offset > 0) {
    visit_attributes(memory_.read(object + static_cast<std::uint64_t>(offset)), type,
                     python::kAttribute);
  }
  visit_members(object, type);
  runtime::MemoryRange block{};
  if (memory_.find_block(object, block)) {
    visit_words(object + python::kObjectBytes, block.end);
  }
}

void Reader::visit_object(std::uint64_t object) {
  const std::uint64_t type = type_of(object);
  const std::uint64_t flags = flags_of(type);
  if ((flags & python::kIsType) != 0) {
    return visit_attributes(memory_.read(object + python::kTypeDict), object,
                            python::kClassAttribute);
  }
  const bool is_container = visit_container(object, type, flags);
  if (is_container && (flags & python::kHeapType) == 0) {
    return;
  }
  if (!is_container) {
    if (visit_code_holder(object, type)) {
      return;
    }
    sink_.describe({type, kNotCounted});
  }
  visit_instance(object, type, flags);
}

// Words that are addresses of objects, or of more memory of the same owner.
void Reader::visit_words(std::uint64_t begin, std::uint64_t end) {
  for (std::uint64_t at = (begin + 7) & ~std::uint64_t{7}; at + kWord <= end; at += kWord) {
    const std::uint64_t word = memory_.read(at);
    runtime::MemoryRange block{};
    if (word == 0 || word % kWord != 0 || !memory_.find_block(word, block)) {
      continue;
    }
    if (is_object(word)) {
      lead({}, word);
    } else if (word == block.begin && !is_object(word + python::kCollectorBytes)) {
      sink_.lead({}, {word, kMemory});
    }
  }
}

void Reader::visit(const Value& value) {
  runtime::MemoryRange block{};
  if (value.kind == kObject) {
    visit_object(value.address);
  } else if (memory_.find_block(value.address, block)) {
    visit_words(block.begin, block.end);
  }
}

constexpr Graph kPythonGraph{
    [](unsigned rank, GraphSink& sink) {
      Reader reader(*python_interpreter(), sink);
      rank == 0 ? reader.visit_roots() : reader.visit_collected();
    },
    [](const Value& value, GraphSink& sink) { Reader(*python_interpreter(), sink).visit(value); },
    [](const Label& label, const GraphMemory& memory, GraphText& text) {
      python::name(python_interpreter()->layout, label, memory, text);
    },
    python::name_type,
};

}  // namespace

const Graph* python_graph() {
  const PythonInterpreter* const python = python_interpreter();
  return python != nullptr && layout_of(python->layout) != nullptr ? &kPythonGraph : nullptr;
}

}  // namespace seep::script
