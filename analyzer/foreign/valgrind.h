// Reads what Valgrind's memcheck writes: XML (--xml=yes --xml-file=FILE) and its text log
// (--log-file=FILE). Stateless, safe from any thread; the text may hold anything.
#pragma once

#include <string>
#include <string_view>

#include "analyzer/foreign/log.h"
#include "analyzer/model/result.h"

namespace seep::foreign {

// By what the text begins with. `file` is named in errors.
Result<Log> read_valgrind(std::string_view text, const std::string& file);

Result<Log> read_valgrind_xml(std::string_view text, const std::string& file);
Result<Log> read_valgrind_text(std::string_view text, const std::string& file);

// "7,984 (16 direct, 7,968 indirect) bytes in 1 blocks are definitely lost in loss record 5 of 5":
// only what is lost directly, since the rest stands in records of its own.
bool parse_loss_record(std::string_view text, Leak& leak);
// "16 (+16) bytes in 1 (+1) blocks …": of a leak check that tells what changed.
bool is_difference(std::string_view text);

}  // namespace seep::foreign
