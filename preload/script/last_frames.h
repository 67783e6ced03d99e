// What a thread found when it last walked over the frame at an address: most of the frames of a
// stack are those of the stack before, and need not be looked up in a table again, or walked at
// all. Context: IN-HOOK. Used by one capture at a time; who owns it sees to that. Begins zeroed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace seep::script {

class LastFrames {
 public:
  static constexpr unsigned kWords = 3;
  // The walk that met the frame, and how far it had come: what it found from there outward may be
  // so still (Memo::take_rest).
  struct Rest {
    std::uint64_t frame;   // its address; 0: none
    std::uint32_t place;   // of the stack that was walked, in the memory of stacks
    std::uint32_t number;  // of that walk
    std::uint16_t count;   // words that were read, as ReadSet has them
    std::uint16_t guarded_count;
    std::uint16_t behind_count;
    std::uint16_t depth;  // frames that were told
  };
  struct Frame {
    std::uint64_t words[kWords];  // that tell it, wherever it stands; all 0 where none was
    std::uint32_t id;             // as the interpreter's table of frames has it
    Rest rest;
  };

  // The one that stood there last, or at an address with the same hash; it is to be overwritten
  // where its words are others.
  Frame& at(std::uint64_t address) {
    return frames_[(address >> 4) * 0x9E3779B97F4A7C15ULL >> kHashShift];
  }

 private:
  static constexpr std::size_t kFrames = 256;
  static constexpr unsigned kHashShift = 56;
  static_assert(kFrames == std::size_t{1} << (64 - kHashShift));

  Frame frames_[kFrames];
};

}  // namespace seep::script
