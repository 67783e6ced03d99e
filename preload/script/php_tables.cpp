#include "preload/script/php_tables.h"

#include <string_view>

#include "preload/script/php_values.h"

namespace seep::script::php {
namespace {

// The first entry of a table that has keys; false where it is none.
bool read_first(const GraphMemory& memory, std::uint64_t array, std::string_view& key,
                std::uint64_t& value) {
  Table table{};
  if (array == 0 || array % alignof(std::uint64_t) != 0 ||
      !read_table(memory, array, /*lists_hold_values=*/true, table) || table.used == 0 ||
      !table.has_keys()) {
    return false;
  }
  key = text_at(memory, memory.read(table.first + kBucketKey));
  value = memory.read(table.first);
  return true;
}

// PHP's own functions are entered first, and always in the same order.
bool are_functions(const GraphMemory& memory, std::uint64_t array) {
  std::string_view key;
  std::uint64_t value = 0;
  return read_first(memory, array, key, value) && key == "zend_version";
}

bool are_classes(const GraphMemory& memory, std::uint64_t array) {
  std::string_view key;
  std::uint64_t value = 0;
  return read_first(memory, array, key, value) && is_class(memory, value);
}

// Objects know their number in it.
bool is_store(const GraphMemory& memory, std::uint64_t store) {
  constexpr std::uint32_t kLeastSize = 1024;
  const std::uint64_t objects = memory.read(store);
  const auto top = memory.read<std::uint32_t>(store + kStoreTop);
  const auto size = memory.read<std::uint32_t>(store + kStoreSize);
  if (size < kLeastSize || (size & (size - 1)) != 0 || top == 0 || top > size ||
      !memory.is_there(objects, size * sizeof(std::uint64_t))) {
    return false;
  }
  for (std::uint32_t i = 1; i < top; ++i) {
    const std::uint64_t object = memory.read(objects + i * sizeof(std::uint64_t));
    if ((object & 1) == 0) {
      return memory.read<std::uint32_t>(object + kObjectHandle) == i &&
             counted_type(memory, object) == kObject;
    }
  }
  return false;
}

// Offsets are odd, so the base stands one byte before the table, whose address stands before it;
// its size and how much of it is in use stand behind.
bool is_map_base(const GraphMemory& memory, std::uint64_t place) {
  constexpr std::uint64_t kMostMaps = 1 << 24;
  const std::uint64_t table = memory.read(place - 8);
  const std::uint64_t size = memory.read(place + 8);
  const std::uint64_t used = memory.read(place + 16);
  return table != 0 && memory.read(place) == table - 1 && used != 0 && used <= size &&
         size <= kMostMaps && memory.is_there(table, used * sizeof(std::uint64_t));
}

}  // namespace

Tables find_tables(const PhpPlace& place, const GraphMemory& memory) {
  constexpr std::uint64_t kMostCompilerBytes = 1024;
  Tables tables;
  const std::uint64_t executor = place.executor_globals;
  const std::uint64_t frame = executor + place.layout->current_execute_data;
  for (std::uint64_t at = executor + kVariablesBeforeFunctions; at < frame; at += 8) {
    const std::uint64_t functions = memory.read(at);
    const std::uint64_t classes = memory.read(at + kClassesBehindFunctions);
    if (are_functions(memory, functions) && are_classes(memory, classes)) {
      tables.variables = at - kVariablesBeforeFunctions;
      tables.functions = functions;
      tables.classes = classes;
    }
  }
  for (std::uint64_t at = frame; tables.objects == 0 && at < executor + kMostExecutorBytes;
       at += 8) {
    tables.objects = is_store(memory, at) ? at : 0;
  }
  const std::uint64_t compiler = place.compiler_globals;
  for (std::uint64_t at = compiler + 8; tables.map_base == 0 && at < compiler + kMostCompilerBytes;
       at += 8) {
    tables.map_base = is_map_base(memory, at) ? memory.read(at) : 0;
  }
  return tables;
}

}  // namespace seep::script::php
