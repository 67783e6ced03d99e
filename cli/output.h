// Where a verb's result goes: stdout, or a file that is never overwritten without being asked for.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "analyzer/model/result.h"

namespace seep::cli {

// Prints the message on stderr and gives the exit status that belongs to it.
int fail(const Error& error);

struct Destination {
  std::string file;    // empty: stdout
  bool force = false;  // overwrite the file if there is one
};

// What stands in the way of writing there, if anything; to be asked before the work is done.
std::optional<Error> why_not_writable(const Destination& destination);

// Writes the whole text; a file appears at once, complete, or not at all.
std::optional<Error> write_text(const Destination& destination, const std::string& text);

// The same of a text that is too large to hold: `produce` calls its argument with one piece after
// the other. Once a piece could not be written, the others are dropped.
using Write = std::function<void(std::string_view piece)>;
std::optional<Error> write_pieces(const Destination& destination,
                                  const std::function<void(const Write&)>& produce);

// The same for a copy of `source`.
std::optional<Error> copy_file(const std::string& source, const Destination& destination);

}  // namespace seep::cli
