// Texts that a walk over PHP's frames met, as words to compare. Context: IN-HOOK.
#pragma once

#include <cstdint>

#include "preload/script/php_layout.h"
#include "preload/script/script.h"

namespace seep::script {

inline constexpr std::uint64_t kMostTextBytes = 4096;  // of a name that is believed

// The names of files that a walk met: each is noted once, since most functions are of one file.
// Those of copies are compared last, since nothing before tells that they are there. PHP keeps them
// all until the request ends (its table of compiled files): where that is told, their addresses do.
class Texts {
 public:
  Texts(ReadSet& words, bool stay) : words_(words), stay_(stay) {}

  // All of a text, to the end of the word that its zero stands in. There may be none: what is
  // compiled need not be of a file.
  void note(std::uint64_t text) {
    if (add(text)) {
      note_words(text, [this](std::uint64_t address) { return words_.read(address); });
    }
  }
  void note_last(std::uint64_t text) {
    if (stay_ || is_in(text, last_, last_count_)) {
      return;
    }
    if (last_count_ == kMost) {
      words_.give_up();
    } else {
      last_[last_count_++] = text;
    }
  }
  // After the last frame.
  void end() {
    for (unsigned i = 0; i < last_count_; ++i) {
      if (add(last_[i])) {
        note_words(last_[i], [this](std::uint64_t address) { return words_.read_last(address); });
      }
    }
  }

 private:
  static constexpr unsigned kMost = 8;

  static bool is_in(std::uint64_t text, const std::uint64_t* texts, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      if (texts[i] == text) {
        return true;
      }
    }
    return false;
  }
  // False where it is noted.
  bool add(std::uint64_t text) {
    if (stay_ || text == 0 || is_in(text, noted_, count_)) {
      return false;
    }
    if (count_ < kMost) {
      noted_[count_++] = text;
    }
    return true;
  }
  template <typename Read>
  static void note_words(std::uint64_t text, Read&& read) {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    for (std::uint64_t i = 0; i < kMostTextBytes; i += 8) {
      const std::uint64_t word = read(text + php::kBytes + i);
      if (((word - kOnes) & ~word & kOnes << 7) != 0) {  // a byte is zero
        return;
      }
    }
  }

  ReadSet& words_;
  bool stay_;
  std::uint64_t noted_[kMost];
  std::uint64_t last_[kMost];
  unsigned count_ = 0;
  unsigned last_count_ = 0;
};

}  // namespace seep::script
