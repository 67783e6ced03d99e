// Strings of CPython as UTF-8. Context: IN-HOOK.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "preload/script/python_layout.h"

namespace seep::script {

// The beginning of a str object. An ASCII string is not copied: the view is good as long as the
// object lives. Others are converted as far as there is room. Lone surrogates that stand for the
// bytes of a path that is no UTF-8 (PEP 383) become those bytes again.
class PythonText {
 public:
  // False where there is no string, or none that makes sense.
  bool read(const PythonLayout& layout, std::uintptr_t string);
  [[nodiscard]] std::string_view view() const { return view_; }

 private:
  static constexpr std::size_t kMostAscii = 4000;  // characters; more are cut
  static constexpr std::size_t kMostBytes = 240;   // of a converted string

  void copy(const void* characters, std::size_t count, unsigned bytes_each);
  void put(std::uint32_t character);

  std::string_view view_;
  std::size_t used_ = 0;
  char utf8_[kMostBytes];
};

}  // namespace seep::script
