#include "preload/script/php_tables.h"

#include <string_view>

#include "preload/script/php_values.h"

namespace seep::script::php {
namespace {

// A table that has keys and an entry.
bool read_named(const GraphMemory& memory, std::uint64_t array, Table& table) {
  return array != 0 && array % alignof(std::uint64_t) == 0 &&
         read_table(memory, array, /*lists_hold_values=*/true, table) && table.used != 0 &&
         table.has_keys();
}

// PHP's own functions are entered first, always in the same order: this one is among the first.
bool are_functions(const GraphMemory& memory, std::uint64_t array) {
  constexpr std::uint32_t kMostBefore = 8;
  Table table{};
  if (!read_named(memory, array, table)) {
    return false;
  }
  for (std::uint32_t i = 0; i < table.used && i <= kMostBefore; ++i) {
    const std::uint64_t key = memory.read(table.first + i * table.stride + kBucketKey);
    if (text_at(memory, key) == "zend_version") {
      return true;
    }
  }
  return false;
}

bool are_classes(const GraphMemory& memory, std::uint64_t array) {
  Table table{};
  return read_named(memory, array, table) && is_class(memory, memory.read(table.first));
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

// Where a map pointer that is an offset counts from; 0 where `place` does not hold that. How many
// words the table has room for and how many are in use stand behind it. Offsets are odd: since 8.0
// the base is made odd for it, and the table's address stands before it; maps that no request
// changes come first in the table, since 8.4, and the base stands behind them.
std::uint64_t map_base_at(const GraphMemory& memory, std::uint64_t place, bool is_odd) {
  constexpr std::uint64_t kMostMaps = 1 << 24;
  constexpr std::uint64_t kLasting = 4096 * sizeof(std::uint64_t);
  const std::uint64_t base = memory.read(place) + (is_odd ? 1 : 0);
  const std::uint64_t table = is_odd ? memory.read(place - sizeof(std::uint64_t)) : base;
  const std::uint64_t size = memory.read(place + 8);
  const std::uint64_t used = memory.read(place + 16);
  const bool is_it = table != 0 && base % sizeof(std::uint64_t) == 0 && used != 0 && used <= size &&
                     size <= kMostMaps && (base - table) % kLasting == 0 &&
                     base - table <= kMostMaps * sizeof(std::uint64_t) &&
                     memory.is_there(table, base - table + used * sizeof(std::uint64_t));
  return is_it ? base - 1 : 0;
}

std::uint64_t find_map_base(const GraphMemory& memory, std::uint64_t compiler) {
  constexpr std::uint64_t kMostCompilerBytes = 1024;
  for (const bool is_odd : {true, false}) {
    for (std::uint64_t at = compiler + 8; at < compiler + kMostCompilerBytes; at += 8) {
      if (const std::uint64_t base = map_base_at(memory, at, is_odd); base != 0) {
        return base;
      }
    }
  }
  return 0;
}

}  // namespace

Tables find_tables(const PhpPlace& place, const GraphMemory& memory) {
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
  tables.map_base = find_map_base(memory, place.compiler_globals);
  return tables;
}

}  // namespace seep::script::php
