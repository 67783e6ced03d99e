#include "preload/script/php_values.h"

namespace seep::script::php {

bool read_table(const GraphMemory& memory, std::uint64_t array, bool lists_hold_values,
                Table& table) {
  if (!memory.is_there(array, kArrayBytes)) {
    return false;
  }
  const auto flags = memory.read<std::uint32_t>(array + kArrayFlags);
  const auto mask = memory.read<std::uint32_t>(array + kArrayMask);
  const auto size = memory.read<std::uint32_t>(array + kArraySize);
  const bool packed = (flags & kPacked) != 0;
  table.first = memory.read(array + kArrayData);
  table.used = memory.read<std::uint32_t>(array + kArrayUsed);
  table.elements = memory.read<std::uint32_t>(array + kArrayElements);
  table.stride = packed && lists_hold_values ? kValueBytes : kBucketBytes;
  table.memory = table.first - std::uint64_t{0U - mask} * sizeof(std::uint32_t);
  if ((flags & kUninitialized) != 0 || table.used == 0) {
    table.used = 0;
    return table.elements == 0;
  }
  return table.used <= size && table.elements <= table.used &&
         memory.is_there(table.first, std::uint64_t{table.used} * table.stride);
}

std::string_view text_at(const GraphMemory& memory, std::uint64_t string) {
  constexpr std::uint64_t kMostBytes = 1 << 16;
  const std::uint64_t length = string == 0 ? kMostBytes : memory.read(string + kLength);
  if (length >= kMostBytes || !memory.is_there(string, kBytes + length)) {
    return {};
  }
  return {reinterpret_cast<const char*>(string + kBytes), length};
}

Place place_of(const GraphMemory& memory, std::uint64_t function, const PhpLayout& layout) {
  if ((memory.read<std::uint8_t>(function + kType) & kInternalBit) != 0) {
    return {};
  }
  return {text_at(memory, memory.read(function + layout.filename)),
          memory.read<std::uint32_t>(function + layout.filename + kLineStart)};
}

bool is_class(const GraphMemory& memory, std::uint64_t scope) {
  const auto type = memory.read<std::uint8_t>(scope);
  return (type == kClassInternal || type == kClassUser) &&
         counted_type(memory, scope + kClassFunctions) == kArray &&
         counted_type(memory, scope + kClassInfos) == kArray &&
         !text_at(memory, memory.read(scope + kClassName)).empty();
}

}  // namespace seep::script::php
