// Valgrind's XML, protocol 4, by expat.
#include <expat.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "analyzer/foreign/reading.h"
#include "analyzer/foreign/valgrind.h"

namespace seep::foreign {
namespace {

constexpr std::size_t kDeepest = 64;

struct FreeParser {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};
using Parser = std::unique_ptr<XML_ParserStruct, FreeParser>;

// Fills a log from the elements of one document. Only what belongs to leaks is kept.
class Document {
 public:
  Document(XML_Parser parser, const std::string& file) : parser_(parser) {
    log_.tool = Tool::kValgrind;
    log_.file = file;
    // What memcheck does when nothing but XML is asked for, which implies --leak-check=full.
    log_.lists_indirect = false;
    log_.lists_possible = true;
  }

  void begin(const std::string& name) {
    if (path_.size() == kDeepest) {
      fail("elements are nested too deeply");
      return;
    }
    if (path_.empty() && name != "valgrindoutput") {
      fail("<" + name + "> is no report of Valgrind");
    }
    path_.push_back(name);
    text_.clear();
    if (name == "error") {
      leak_ = {};
      leak_.line = line();
      stacks_ = 0;
    } else if (name == "stack") {
      ++stacks_;
    } else if (name == "frame" && stacks_ == 1) {
      check(limits_.frame(log_.file, line()));
      leak_.stack.emplace_back();
      directory_.clear();
    }
  }

  void text(std::string_view text) {
    if (text_.size() + text.size() > kMostLineBytes) {
      fail(fmt::format("a text is longer than {} bytes", kMostLineBytes));
      return;
    }
    text_ += text;
  }

  void end() {
    if (path_.empty() || error_) {
      return;
    }
    const std::string name = std::move(path_.back());
    path_.pop_back();
    const std::string above = path_.empty() ? "" : path_.back();
    if (above == "frame" && stacks_ == 1 && !leak_.stack.empty()) {
      end_of_frame_part(name, leak_.stack.back());
    } else if (above == "error" && name == "kind") {
      kind_ = text_;
    } else if (above == "xwhat" && name == "text") {
      what_ = text_;
    } else if (name == "error") {
      end_of_error();
    } else {
      end_of_context(above, name);
    }
    text_.clear();
  }

  void fail(const std::string& what) { check(error_at(log_.file, line(), what, kAdvice)); }

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  [[nodiscard]] Log& log() {
    if (!log_.lists_leaks) {
      list_nothing();
    }
    return log_;
  }

 private:
  static constexpr const char* kAdvice = "give a file of valgrind --xml=yes --xml-file=FILE";

  [[nodiscard]] unsigned line() const {
    return static_cast<unsigned>(XML_GetCurrentLineNumber(parser_));
  }

  // The first error stands; the parser stops.
  void check(std::optional<Error> error) {
    if (error && !error_) {
      error_ = std::move(error);
      XML_StopParser(parser_, XML_FALSE);
    }
  }

  void end_of_frame_part(const std::string& name, Frame& frame) {
    if (name == "fn") {
      frame.function = text_;
    } else if (name == "obj") {
      frame.module = text_;
    } else if (name == "dir") {
      directory_ = text_ + "/";
    } else if (name == "file") {
      frame.file = text_.starts_with('/') ? text_ : directory_ + text_;
    } else if (name == "line" || name == "ip") {
      const auto number = name == "ip" ? hex_in(text_) : number_in(text_);
      if (!number || (name == "line" && *number > kMostLine)) {
        fail("<" + name + "> is no number");
      } else if (name == "ip") {
        frame.address = number;
      } else {
        frame.line = static_cast<unsigned>(*number);
      }
    }
  }

  // Other errors than leaks are not ours.
  void end_of_error() {
    if (!kind_.starts_with("Leak_")) {
      return;
    }
    if (is_difference(what_)) {
      return;  // to an earlier check, when the program asked for it
    }
    if (!parse_loss_record(what_, leak_)) {
      fail("a leak does not say its size and kind");
    }
    check(limits_.leak(log_.file, leak_.line));
    log_.leaks.push_back(std::move(leak_));
    leak_ = {};
    kind_.clear();
    what_.clear();
  }

  // Without --leak-check=full nothing of what is asked for is listed.
  void list_nothing() { log_.lists_indirect = log_.lists_possible = log_.lists_reachable = false; }

  void end_of_context(const std::string& above, const std::string& name) {
    if (name == "protocoltool" && text_ != "memcheck") {
      fail("is of Valgrind's " + text_ + ", not of memcheck");
    } else if (name == "state" && above == "status" && text_ == "FINISHED") {
      log_.leaks.clear();  // of checks that the program asked for: the one at the end has it all
    } else if (name == "exe" && above == "argv") {
      log_.program = text_;
    } else if (name == "arg" && above == "vargv") {
      take_option(text_);
    } else if (name == "name" && above == "pair" && in("suppcounts")) {
      log_.suppressions.push_back(text_);
    } else if (name == "count" && above == "pair" && in("suppcounts")) {
      log_.suppressed += number_in(text_).value_or(0);
    }
  }

  [[nodiscard]] bool in(const char* name) const {
    return std::find(path_.begin(), path_.end(), name) != path_.end();
  }

  void take_option(std::string_view option) {
    const auto value_of = [&](std::string_view name) {
      return option.starts_with(name) ? std::optional(option.substr(name.size())) : std::nullopt;
    };
    if (const auto check = value_of("--leak-check=")) {
      log_.lists_leaks = *check == "full" || *check == "yes";
    } else if (const auto kinds = value_of("--show-leak-kinds=")) {
      const auto has = [&](std::string_view kind) {
        return *kinds == "all" || kinds->find(kind) != std::string_view::npos;
      };
      log_.lists_indirect = has("indirect");
      log_.lists_possible = has("possible");
      log_.lists_reachable = has("reachable");
    } else if (const auto reachable = value_of("--show-reachable=")) {
      log_.lists_reachable = log_.lists_indirect = *reachable == "yes";
    }
  }

  static constexpr std::uint64_t kMostLine = 0xFFFFFFFF;

  XML_Parser parser_;
  Log log_;
  Limits limits_;
  std::optional<Error> error_;
  std::vector<std::string> path_;  // open elements
  std::string text_;               // of the innermost
  std::string directory_;          // of the frame that is read
  std::string kind_;
  std::string what_;
  Leak leak_;
  unsigned stacks_ = 0;  // of this error; the second one says where a block lies, not of a leak
};

Document& document(void* data) {
  return *static_cast<Document*>(data);
}

void connect(XML_Parser parser, Document& target) {
  XML_SetUserData(parser, &target);
  XML_SetElementHandler(
      parser,
      [](void* data, const XML_Char* name, const XML_Char**) { document(data).begin(name); },
      [](void* data, const XML_Char*) { document(data).end(); });
  XML_SetCharacterDataHandler(parser, [](void* data, const XML_Char* text, int size) {
    document(data).text({text, static_cast<std::size_t>(size)});
  });
  // Valgrind writes none; entities could make much out of little.
  XML_SetStartDoctypeDeclHandler(
      parser, [](void* data, const XML_Char*, const XML_Char*, const XML_Char*, int) {
        document(data).fail("a document type stands here");
      });
}

Error syntax_error(XML_Parser parser, const std::string& file) {
  const XML_Error code = XML_GetErrorCode(parser);
  const auto line = static_cast<unsigned>(XML_GetCurrentLineNumber(parser));
  if (code == XML_ERROR_NO_ELEMENTS || code == XML_ERROR_UNCLOSED_TOKEN) {
    return error_at(file, line, "the XML ends before its end",
                    "let Valgrind's program end by itself, or copy the file again");
  }
  if (code == XML_ERROR_JUNK_AFTER_DOC_ELEMENT) {
    return error_at(file, line, "a second document begins",
                    "give each process a file: --xml-file=NAME.%p.xml");
  }
  return error_at(file, line, std::string("is no XML: ") + XML_ErrorString(code));
}

}  // namespace

Result<Log> read_valgrind_xml(std::string_view text, const std::string& file) {
  if (auto error = why_too_large(text, file)) {
    return *error;
  }
  const Parser parser(XML_ParserCreate("UTF-8"));
  Document target(parser.get(), file);
  connect(parser.get(), target);
  const XML_Status status =
      XML_Parse(parser.get(), text.data(), static_cast<int>(text.size()), XML_TRUE);
  if (target.error()) {
    return *target.error();
  }
  if (status != XML_STATUS_OK) {
    return syntax_error(parser.get(), file);
  }
  return std::move(target.log());
}

}  // namespace seep::foreign
