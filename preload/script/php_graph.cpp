#include "preload/script/php_graph.h"

#include <cstring>

#include "preload/script/php_frames.h"
#include "preload/script/php_tables.h"
#include "preload/script/php_values.h"

namespace seep::script {
namespace {

using php::kArray;
using php::kObject;
using php::kReference;

// Value::kind, besides the types of values.
constexpr std::uint32_t kMemory = 32;  // of an extension, whose layout is not known

constexpr unsigned kMostFrames = 10000;

// Of this copy of the process.
constinit php::Tables g_tables;

// A look at PHP's memory with what is known of it.
class Reader {
 public:
  Reader(const PhpPlace& place, GraphSink& sink)
      : place_(place),
        layout_(graph_layout_of(*place.layout)),
        sink_(sink),
        memory_(sink.memory()) {}

  void visit_roots();
  void visit_loose_objects();
  void visit(const Value& value);

 private:
  template <typename Visit>
  void visit_table(std::uint64_t array, Visit&& visit);
  [[nodiscard]] std::uint64_t follow_map(std::uint64_t map) const;

  void follow(const Label& label, std::uint64_t value);
  void visit_going_objects();
  [[nodiscard]] bool is_in_store(std::uint64_t object) const;
  void visit_classes();
  void visit_static_properties(std::uint64_t scope);
  void visit_functions(std::uint64_t table);
  void visit_static_variables(std::uint64_t function, LabelKind kind, php::Sort sort);
  void visit_frames();
  void visit_frame(std::uint64_t frame, LabelKind kind);
  [[nodiscard]] bool is_yield(std::uint64_t instruction) const;
  [[nodiscard]] std::uint32_t line_of(std::uint64_t frame, std::uint64_t function,
                                      bool waits) const;
  void visit_array(std::uint64_t array);
  void visit_object(std::uint64_t object);
  [[nodiscard]] std::uint64_t name_of_property(std::uint64_t scope, std::uint64_t number) const;
  void visit_properties(std::uint64_t object, std::uint64_t scope, std::uint64_t count);
  void visit_dynamic_properties(std::uint64_t object, std::uint64_t scope);
  void visit_closure(std::uint64_t closure);
  void visit_generator(std::uint64_t generator);
  void visit_other_memory(std::uint64_t object, std::uint64_t bytes);
  void visit_words(std::uint64_t begin, std::uint64_t end);
  bool visit_word(std::uint64_t at);

  const PhpPlace& place_;
  const PhpGraphLayout layout_;
  GraphSink& sink_;
  const GraphMemory& memory_;
};

// ---- arrays and values ----------------------------------------------------------------------

// Calls visit(value, key, number): a key that is a string, or 0.
template <typename Visit>
void Reader::visit_table(std::uint64_t array, Visit&& visit) {
  php::Table table{};
  if (array == 0 || !php::read_table(memory_, array, layout_.lists_hold_values, table)) {
    return;
  }
  for (std::uint32_t i = 0; i < table.used; ++i) {
    const std::uint64_t at = table.first + i * table.stride;
    const bool has_key = table.has_keys();
    visit(at, has_key ? memory_.read(at + php::kBucketKey) : 0,
          has_key ? memory_.read(at + php::kBucketHash) : i);
  }
}

// The word that a map pointer leads to: it is the address of it, or its place in a table of a
// request, which is odd.
std::uint64_t Reader::follow_map(std::uint64_t map) const {
  if ((map & 1) != 0) {
    return g_tables.map_base == 0 ? 0 : memory_.read(g_tables.map_base + map);
  }
  return layout_.maps_are_direct || map == 0 ? map : memory_.read(map);
}

// A value that stands at `value`.
void Reader::follow(const Label& label, std::uint64_t value) {
  if (memory_.read<std::uint8_t>(value + php::kValueType) == layout_.indirect) {
    value = memory_.read(value);
  }
  const std::uint32_t type = memory_.read<std::uint8_t>(value + php::kValueType);
  const std::uint64_t to = memory_.read(value);
  if (to == 0 || to % alignof(std::uint64_t) != 0) {
    return;
  }
  if (type == php::kString || type == php::kResource) {
    sink_.lead(label, {to, kLeaf});
  } else if (type == kArray || type == kObject || type == kReference) {
    const unsigned counted = php::counted_type(memory_, to);
    if (counted == type || (type == kArray && counted == php::kGoing)) {
      sink_.lead(label, {to, type});
    }
  }
}

// ---- roots ----------------------------------------------------------------------------------

void Reader::visit_roots() {
  visit_classes();
  visit_table(g_tables.variables, [&](std::uint64_t value, std::uint64_t key, std::uint64_t) {
    if (memory_.read(value) != g_tables.variables) {
      follow({LabelKind::kGlobalRoot, php::kGlobal, 0, 0, key}, value);
    }
  });
  visit_going_objects();
  visit_functions(g_tables.functions);
  visit_frames();
}

// As a script ends, PHP takes objects out of variables that alone hold them before it releases what
// they hold. The entry is empty then, and has the object's address still; it may be the last one.
void Reader::visit_going_objects() {
  php::Table table{};
  const bool runs =
      memory_.read(place_.executor_globals + place_.layout->current_execute_data) != 0;
  const std::uint64_t size = memory_.read<std::uint32_t>(g_tables.variables + php::kArraySize);
  if (runs || g_tables.variables == 0 ||
      !php::read_table(memory_, g_tables.variables, layout_.lists_hold_values, table) ||
      !table.has_keys() || !memory_.is_there(table.first, size * table.stride)) {
    return;
  }
  for (std::uint64_t i = 0; i < size; ++i) {
    const std::uint64_t at = table.first + i * table.stride;
    const std::uint64_t object = memory_.read(at);
    if (memory_.read<std::uint8_t>(at + php::kValueType) == php::kUndefined &&
        is_in_store(object)) {
      const std::uint64_t key = memory_.read(at + php::kBucketKey);
      sink_.lead({LabelKind::kGlobalRoot, php::kGlobal, 0, 0, key}, {object, kObject});
    }
  }
}

// The mark of an object that is about to go does not matter.
bool Reader::is_in_store(std::uint64_t object) const {
  if (object == 0 || object % sizeof(std::uint64_t) != 0 || g_tables.objects == 0 ||
      php::counted_type(memory_, object) != kObject) {
    return false;
  }
  const std::uint64_t number = memory_.read<std::uint32_t>(object + php::kObjectHandle);
  const std::uint64_t objects = memory_.read(g_tables.objects);
  return number < memory_.read<std::uint32_t>(g_tables.objects + php::kStoreTop) &&
         (memory_.read(objects + number * sizeof(std::uint64_t)) & ~std::uint64_t{1}) == object;
}

void Reader::visit_classes() {
  const std::uint64_t classes = g_tables.classes;
  visit_table(classes, [&](std::uint64_t value, std::uint64_t, std::uint64_t) {
    const std::uint64_t scope = memory_.read(value);
    if (php::is_class(memory_, scope)) {
      visit_static_properties(scope);
    }
  });
  visit_table(classes, [&](std::uint64_t value, std::uint64_t, std::uint64_t) {
    const std::uint64_t scope = memory_.read(value);
    if (memory_.read<std::uint8_t>(scope) == php::kClassUser && php::is_class(memory_, scope)) {
      visit_functions(scope + php::kClassFunctions);
    }
  });
}

// Those that a class has from its parent are pointers to the parent's.
void Reader::visit_static_properties(std::uint64_t scope) {
  const auto count = memory_.read<std::uint32_t>(scope + php::kClassStaticCount);
  const std::uint64_t values = follow_map(memory_.read(scope + php::kClassStatics));
  if (count == 0 || count > php::kMostProperties || values == 0) {
    return;
  }
  visit_table(scope + php::kClassInfos, [&](std::uint64_t value, std::uint64_t, std::uint64_t) {
    const std::uint64_t info = memory_.read(value);
    const auto number = memory_.read<std::uint32_t>(info + php::kInfoOffset);
    const auto flags = memory_.read<std::uint32_t>(info + php::kInfoFlags);
    const std::uint64_t at = values + std::uint64_t{number} * php::kValueBytes;
    if ((flags & php::kStatic) != 0 && number < count &&
        memory_.read<std::uint8_t>(at + php::kValueType) != layout_.indirect) {
      const std::uint64_t name = memory_.read(info + php::kInfoName);
      follow({LabelKind::kGlobalRoot, php::kStaticProperty, 0, scope, name}, at);
    }
  });
}

void Reader::visit_functions(std::uint64_t table) {
  visit_table(table, [&](std::uint64_t value, std::uint64_t, std::uint64_t) {
    visit_static_variables(memory_.read(value), LabelKind::kGlobalRoot, php::kStaticVariable);
  });
}

void Reader::visit_static_variables(std::uint64_t function, LabelKind kind, php::Sort sort) {
  const bool is_internal =
      (memory_.read<std::uint8_t>(function + php::kType) & php::kInternalBit) != 0;
  if (is_internal || !memory_.is_there(function, layout_.function_bytes)) {
    return;
  }
  visit_table(follow_map(memory_.read(function + layout_.static_variables)),
              [&](std::uint64_t value, std::uint64_t key, std::uint64_t) {
                follow({kind, sort, 0, function, key}, value);
              });
}

void Reader::visit_frames() {
  std::uint64_t frame = memory_.read(place_.executor_globals + place_.layout->current_execute_data);
  for (unsigned i = 0; frame != 0 && i < kMostFrames; ++i) {
    visit_frame(frame, LabelKind::kLocalRoot);
    frame = memory_.read(frame + php::kCaller);
  }
}

bool Reader::is_yield(std::uint64_t instruction) const {
  const auto opcode = memory_.read<std::uint8_t>(instruction + php::kOpcode);
  return opcode == php::kYield || opcode == php::kYieldFrom;
}

// A generator that waits stands at its yield, with older versions behind it.
std::uint32_t Reader::line_of(std::uint64_t frame, std::uint64_t function, bool waits) const {
  std::uint64_t instruction = memory_.read(frame + php::kOpline);
  const std::uint64_t first = memory_.read(function + place_.layout->opcodes);
  const std::uint64_t count = memory_.read<std::uint32_t>(function + place_.layout->last);
  if (instruction - first >= count * php::kInstructionBytes) {
    return php::place_of(memory_, function, *place_.layout).line;
  }
  if (waits && instruction != first && is_yield(instruction - php::kInstructionBytes)) {
    instruction -= php::kInstructionBytes;
  }
  return memory_.read<std::uint32_t>(instruction + php::kLine);
}

void Reader::visit_frame(std::uint64_t frame, LabelKind kind) {
  const std::uint64_t function = memory_.read(frame + php::kFunction);
  if (function == 0 || !memory_.is_there(function, layout_.function_bytes) ||
      (memory_.read<std::uint8_t>(function + php::kType) & php::kInternalBit) != 0) {
    return;
  }
  const std::uint32_t line = line_of(frame, function, kind == LabelKind::kMember);
  if (memory_.read<std::uint8_t>(frame + php::kThis + php::kValueType) == kObject) {
    follow({kind, php::kLocal, line, function, 0}, frame + php::kThis);
  }
  const std::uint64_t count = memory_.read<std::uint32_t>(function + layout_.last_var);
  const std::uint64_t names = memory_.read(function + layout_.vars);
  if (count > php::kMostVariables || !memory_.is_there(names, count * sizeof(std::uint64_t))) {
    return;
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t name = memory_.read(names + i * sizeof(std::uint64_t));
    follow({kind, php::kLocal, line, function, name},
           frame + php::kVariables + i * php::kValueBytes);
  }
}

// Objects that only PHP itself or an extension knows of, or that hold each other.
void Reader::visit_loose_objects() {
  const std::uint64_t objects = g_tables.objects == 0 ? 0 : memory_.read(g_tables.objects);
  const std::uint64_t top = memory_.read<std::uint32_t>(g_tables.objects + php::kStoreTop);
  if (objects == 0 || !memory_.is_there(objects, top * sizeof(std::uint64_t))) {
    return;
  }
  for (std::uint64_t i = 1; i < top; ++i) {
    const std::uint64_t object = memory_.read(objects + i * sizeof(std::uint64_t));
    if (object != 0 && (object & 1) == 0 && php::counted_type(memory_, object) == kObject) {
      const std::uint64_t scope = memory_.read(object + php::kObjectClass);
      sink_.lead({LabelKind::kLooseRoot, php::kLoose, 0, scope, 0}, {object, kObject});
    }
  }
}

// ---- values that hold others ----------------------------------------------------------------

void Reader::visit_array(std::uint64_t array) {
  php::Table table{};
  if (!php::read_table(memory_, array, layout_.lists_hold_values, table)) {
    return;
  }
  sink_.add_part(table.memory);
  sink_.describe({php::kArrayType, table.elements});
  const bool is_small = table.elements <= kMostKeys;
  visit_table(array, [&](std::uint64_t value, std::uint64_t key, std::uint64_t number) {
    Label label{LabelKind::kElement};
    if (is_small) {
      label = {LabelKind::kKey, key != 0 ? php::kTextKey : php::kNumberKey, 0, 0,
               key != 0 ? key : number};
    }
    follow(label, value);
    if (key != 0) {
      sink_.lead(label, {key, kLeaf});
    }
  });
}

void Reader::visit_object(std::uint64_t object) {
  const std::uint64_t scope = memory_.read(object + php::kObjectClass);
  const std::uint64_t count = memory_.read<std::uint32_t>(scope + php::kClassProperties);
  if (!php::is_class(memory_, scope) || count > php::kMostProperties) {
    return;
  }
  sink_.describe({scope, kNotCounted});
  const std::string_view name = php::text_at(memory_, memory_.read(scope + php::kClassName));
  if (memory_.read<std::uint8_t>(scope) == php::kClassInternal) {
    if (name == "Closure") {
      return visit_closure(object);
    }
    if (name == "Generator") {
      visit_generator(object);
    }
  }
  visit_properties(object, scope, count);
  visit_dynamic_properties(object, scope);
  visit_other_memory(object, php::kObjectValues + count * php::kValueBytes);
}

// Before 8.0 an iterator may stand before the frame.
void Reader::visit_generator(std::uint64_t generator) {
  for (const std::uint64_t place : php::kGeneratorFrames) {
    const std::uint64_t frame = memory_.read(generator + place);
    const std::uint64_t function = frame == 0 ? 0 : memory_.read(frame + php::kFunction);
    const auto flags = memory_.read<std::uint32_t>(function + php::kFunctionFlags);
    if (function != 0 && (flags & php::kGenerator) != 0) {
      sink_.add_part(frame);
      return visit_frame(frame, LabelKind::kMember);
    }
  }
}

// A description that tells another place is none.
std::uint64_t Reader::name_of_property(std::uint64_t scope, std::uint64_t number) const {
  const std::uint64_t infos = memory_.read(scope + layout_.property_infos);
  const std::uint64_t info = infos == 0 ? 0 : memory_.read(infos + number * sizeof(std::uint64_t));
  const bool is_it = info != 0 && memory_.read<std::uint32_t>(info + php::kInfoOffset) ==
                                      php::kObjectValues + number * php::kValueBytes;
  return is_it ? memory_.read(info + php::kInfoName) : 0;
}

void Reader::visit_properties(std::uint64_t object, std::uint64_t scope, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t value = object + php::kObjectValues + i * php::kValueBytes;
    if (memory_.read<std::uint8_t>(value + php::kValueType) >= php::kString) {
      follow({LabelKind::kMember, php::kProperty, 0, scope, name_of_property(scope, i)}, value);
    }
  }
}

// The table has the declared ones as well, as pointers to where they stand.
void Reader::visit_dynamic_properties(std::uint64_t object, std::uint64_t scope) {
  const std::uint64_t properties = memory_.read(object + php::kObjectTable);
  php::Table table{};
  if (properties == 0 || php::counted_type(memory_, properties) != kArray ||
      !php::read_table(memory_, properties, layout_.lists_hold_values, table)) {
    return;
  }
  sink_.add_part(properties);
  sink_.add_part(table.memory);
  visit_table(properties, [&](std::uint64_t value, std::uint64_t key, std::uint64_t) {
    if (memory_.read<std::uint8_t>(value + php::kValueType) != layout_.indirect) {
      follow({LabelKind::kMember, php::kProperty, 0, scope, key}, value);
    }
  });
}

void Reader::visit_closure(std::uint64_t closure) {
  const std::uint64_t function = closure + php::kClosureFunction;
  follow({LabelKind::kMember, php::kBound, 0, function, 0}, function + layout_.function_bytes);
  visit_static_variables(function, LabelKind::kMember, php::kBound);
}

// What a class of an extension has before and behind the object.
void Reader::visit_other_memory(std::uint64_t object, std::uint64_t bytes) {
  runtime::MemoryRange block{};
  if (memory_.find_block(object, block)) {
    visit_words(block.begin, object);
    visit_words(object + bytes, block.end);
  }
}

void Reader::visit_words(std::uint64_t begin, std::uint64_t end) {
  for (std::uint64_t at = (begin + 7) & ~std::uint64_t{7}; at + sizeof(std::uint64_t) <= end;) {
    at += visit_word(at) ? php::kValueBytes : sizeof(std::uint64_t);
  }
}

// True: a value stands there. Else the word may be the address of an object or of more memory.
bool Reader::visit_word(std::uint64_t at) {
  const std::uint64_t word = memory_.read(at);
  runtime::MemoryRange block{};
  if (word == 0 || word % alignof(std::uint64_t) != 0 || !memory_.find_block(word, block)) {
    return false;
  }
  // In a list of C a part of one address may look like the type of an object, and the next address
  // like one that says so.
  const unsigned type = php::counted_type(memory_, word);
  const bool is_object =
      type == kObject && php::is_class(memory_, memory_.read(word + php::kObjectClass));
  const bool is_value = memory_.read<std::uint8_t>(at + php::kValueType) == type;
  if (is_value && type >= php::kString && type <= kReference && (is_object || type != kObject)) {
    follow({}, at);
    return true;
  }
  if (is_object) {
    sink_.lead({}, {word, kObject});
  } else if (word == block.begin) {
    sink_.lead({}, {word, kMemory});
  }
  return false;
}

void Reader::visit(const Value& value) {
  runtime::MemoryRange block{};
  switch (value.kind) {
    case kArray:
      return visit_array(value.address);
    case kObject:
      return visit_object(value.address);
    case kReference:
      return follow({}, value.address + php::kReferenced);
    case kMemory:
      if (memory_.find_block(value.address, block)) {
        visit_words(block.begin, block.end);
      }
      return;
    default:
      return;
  }
}

// A function's pointer to the descriptions of its parameters stands behind that of what it returns:
// without parameters, behind the block. A parameter's begins with its name, and this with none; all
// values begin with a count.
bool may_be_return_type(const runtime::MemoryRange& block) {
  constexpr std::size_t kBytes = 32;
  constexpr std::size_t kBytesBefore80 = 24;
  constexpr unsigned kFirstWith32 = 800;
  const std::size_t bytes = php_place().layout->version < kFirstWith32 ? kBytesBefore80 : kBytes;
  std::uint64_t name = 0;
  if (block.end - block.begin != bytes) {
    return false;
  }
  std::memcpy(&name, reinterpret_cast<const void*>(block.begin), sizeof(name));
  return name == 0;
}

constexpr Graph kPhpGraph{
    nullptr,  // what PHP releases goes back to its heap
    may_be_return_type,
    [](unsigned rank, GraphSink& sink) {
      const PhpPlace place = php_place();
      Reader reader(place, sink);
      if (rank == 0) {
        g_tables = php::find_tables(place, sink.memory());
        reader.visit_roots();
      } else {
        reader.visit_loose_objects();
      }
    },
    [](const Value& value, GraphSink& sink) {
      const PhpPlace place = php_place();
      Reader(place, sink).visit(value);
    },
    [](const Label& label, const GraphMemory& memory, GraphText& text) {
      php::name(*php_place().layout, label, memory, text);
    },
    php::name_type,
};

}  // namespace

const Graph* php_graph() {
  return php_place().layout != nullptr ? &kPhpGraph : nullptr;
}

}  // namespace seep::script
