#include "preload/script/python_graph.h"

#include "preload/script/python_code.h"
#include "preload/script/python_frames.h"
#include "preload/script/python_graph_layout.h"
#include "preload/script/python_names.h"
#include "preload/script/python_objects.h"

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

// Of this copy of the process; read before anything else is.
constinit PythonGraphLayout g_layout{};

std::uint64_t runtime_of(const PythonInterpreter& python) {
  const auto ending = reinterpret_cast<std::uint64_t>(python.ending);
  return ending == 0 ? 0 : ending - python.layout.runtime_ending;
}

// A look at Python's memory with what is known of it.
class Reader : private python::Objects {
 public:
  Reader(const PythonInterpreter& python, GraphSink& sink)
      : Objects(g_layout, sink.memory()),
        python_(python),
        layout_(g_layout),
        sink_(sink),
        memory_(sink.memory()) {}

  void visit_roots();
  void visit_collected();
  void visit(const Value& value);

 private:
  using Dict = python::Dict;

  void lead(const Label& label, std::uint64_t object);
  template <typename Visit>
  void visit_entries(const Dict& dict, Visit&& visit);
  template <typename Visit>
  void visit_interpreters(Visit&& visit);

  void visit_modules(std::uint64_t interpreter, bool main);
  void visit_module(std::uint64_t name, std::uint64_t module);
  void visit_threads(std::uint64_t interpreter);
  [[nodiscard]] std::uint64_t find_lists(std::uint64_t collector) const;
  void visit_list(std::uint64_t head);
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
  void visit_generator(std::uint64_t generator);
  void visit_instance(std::uint64_t object, std::uint64_t type, std::uint64_t flags);
  void visit_attributes(std::uint64_t dict, std::uint64_t type, python::Sort sort);
  void visit_attributes_beside(std::uint64_t object, std::uint64_t type);
  void visit_members(std::uint64_t object, std::uint64_t type);
  void visit_words(std::uint64_t begin, std::uint64_t end);

  const PythonInterpreter& python_;
  const PythonGraphLayout& layout_;
  GraphSink& sink_;
  const GraphMemory& memory_;
};

// ---- objects --------------------------------------------------------------------------------

void Reader::lead(const Label& label, std::uint64_t object) {
  if (is_object(object)) {
    const bool holds = (flags_of(type_of(object)) & python::kIsCollected) != 0;
    sink_.lead(label, {object, holds ? kObject : kLeaf});
  }
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

template <typename Visit>
void Reader::visit_interpreters(Visit&& visit) {
  std::uint64_t interpreter = memory_.read(runtime_of(python_) + layout_.interpreters);
  for (unsigned i = 0; interpreter != 0 && i < kMostInterpreters; ++i) {
    visit(interpreter);
    interpreter = memory_.read(interpreter + layout_.next_interpreter);
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
  const std::uint64_t marks = python_.layout.tag_bits;
  const std::uint64_t code = memory_.read(frame + python_.layout.frame_code) & ~marks;
  if (!is_object(code) || type_of(code) != python_.code_type) {
    return;
  }
  const std::uint32_t line = line_of(frame, code);
  std::uint64_t local = frame + layout_.frame_locals;
  for (const std::uint16_t place : layout_.code_names) {
    const std::uint64_t names = place == 0 ? 0 : memory_.read(code + place);
    const std::uint64_t count = names == 0 ? 0 : memory_.read(names + kVarSize);
    for (std::uint64_t i = 0; i < count && count <= python::kMostLocals; ++i, local += kWord) {
      const std::uint64_t name = memory_.read(names + layout_.tuple_items + i * kWord);
      lead({kind, python::kLocal, line, code, name}, memory_.read(local) & ~marks);
    }
  }
}

// The lists of the collector: rings, each with its head in a row of heads. 0: not found.
std::uint64_t Reader::find_lists(std::uint64_t collector) const {
  const auto is_ring = [&](std::uint64_t head) {
    const std::uint64_t next = memory_.read(head) & ~python::kCollectorMarks;
    return next != 0 && (memory_.read(next + kWord) & ~python::kCollectorMarks) == head;
  };
  for (std::uint64_t i = 0; i < python::kMostBeforeLists; i += python::kListAlignment) {
    const std::uint64_t lists = collector + i;
    bool are_rings = true;
    for (std::uint64_t j = 0; j < python::kGenerations; ++j) {
      are_rings = are_rings && is_ring(lists + j * python::kGenerationBytes);
    }
    if (are_rings) {
      return lists;
    }
  }
  return 0;
}

// Objects that only others in a cycle hold, or that a library keeps: the collector knows them.
void Reader::visit_collected() {
  visit_interpreters([&](std::uint64_t interpreter) {
    const std::uint64_t owner = layout_.collector_is_of_runtime ? runtime_of(python_) : interpreter;
    const std::uint64_t lists = find_lists(owner + layout_.collector);
    for (std::uint64_t i = 0; lists != 0 && i < python::kGenerations; ++i) {
      visit_list(lists + i * python::kGenerationBytes);
    }
  });
}

void Reader::visit_list(std::uint64_t head) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 32;
  std::uint64_t next = memory_.read(head);
  for (std::uint64_t i = 0; next != head && next != 0 && i < kMost; ++i) {
    const std::uint64_t object = next + python::kCollectorBytes;
    lead({LabelKind::kLooseRoot, python::kLoose, 0, type_of(object), 0}, object);
    next = memory_.read(next) & ~python::kCollectorMarks;
  }
}

// ---- values that hold others ----------------------------------------------------------------

Label Reader::key_label(std::uint64_t key) const {
  const std::uint64_t flags = flags_of(type_of(key));
  if ((flags & python::kIsText) != 0) {
    return {LabelKind::kKey, python::kTextKey, 0, 0, key};
  }
  const std::uint64_t number = memory_.read<std::uint32_t>(key + python::kIntDigit);
  const bool is_small = memory_.read(key + kVarSize) == (layout_.ints_are_marked ? 8U : 1U);
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
    visit_items(object + layout_.tuple_items, size);
  } else if (is_named(type, "set") || is_named(type, "frozenset")) {
    visit_set(object, type);
  } else {
    return false;
  }
  return true;
}

void Reader::visit_function(std::uint64_t function) {
  const std::uint64_t closure = memory_.read(function + layout_.function_closure);
  const std::uint64_t cells = closure == 0 ? 0 : memory_.read(closure + kVarSize);
  for (std::uint64_t i = 0; i < cells && i < python::kMostLocals; ++i) {
    const std::uint64_t cell = memory_.read(closure + layout_.tuple_items + i * kWord);
    lead({LabelKind::kMember, python::kClosure, static_cast<std::uint32_t>(cells - i), function, 0},
         cell);
  }
  for (const std::uint64_t field : {layout_.function_defaults, layout_.function_keywords}) {
    lead({LabelKind::kMember, python::kDefault, 0, function, 0}, memory_.read(function + field));
  }
  sink_.add_part(closure);
  visit_attributes(memory_.read(function + layout_.function_dict), type_of(function),
                   python::kAttribute);
}

void Reader::visit_generator(std::uint64_t generator) {
  std::uint64_t frame = generator + layout_.generator_frame;
  if (layout_.frames_are_objects) {
    frame = memory_.read(frame);
    sink_.add_part(frame);
  }
  visit_frame(frame, LabelKind::kMember);
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
    visit_generator(object);
  } else if (is_named(type, "frame")) {
    visit_frame(layout_.frames_are_objects ? object : memory_.read(object + python::kFrameOfObject),
                LabelKind::kMember);
  } else {
    return is_named(type, "module") || is_weak(type);
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

// An instance has its attributes' values, or a dict, beside it.
void Reader::visit_attributes_beside(std::uint64_t object, std::uint64_t type) {
  const std::uint64_t word = memory_.read(object - python::kDictBefore);
  const std::uint64_t values = values_of(object, type, word);
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
  if (layout_.values != InstanceValues::kNowhere && (flags & python::kHasDict) != 0) {
    visit_attributes_beside(object, type);
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
    [](const runtime::MemoryRange& block, const GraphMemory& memory) {
      return python::Objects(g_layout, memory).is_released(block);
    },
    nullptr,
    [](unsigned rank, GraphSink& sink) {
      const PythonInterpreter& python = *python_interpreter();
      if (!read_graph_layout(python.layout, runtime_of(python), sink.memory(), g_layout)) {
        return;
      }
      Reader reader(python, sink);
      rank == 0 ? reader.visit_roots() : reader.visit_collected();
    },
    [](const Value& value, GraphSink& sink) { Reader(*python_interpreter(), sink).visit(value); },
    [](const Label& label, const GraphMemory& memory, GraphText& text) {
      python::name({python_interpreter()->layout, g_layout, memory}, label, text);
    },
    python::name_type,
};

}  // namespace

const Graph* python_graph() {
  return python_interpreter() != nullptr ? &kPythonGraph : nullptr;
}

}  // namespace seep::script
