// Options and operands of a verb, as its file declares them. CLI11 stands behind this, and only
// arguments.cpp, command_line.cpp, help.cpp and man_page.cpp see it: its headers are compiled
// there, not in each verb.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11 calls it so
class App;
class Option;
}  // namespace CLI

namespace seep::cli {

// One that is declared. Each function adds to what is known of it and returns it.
class Argument {
 public:
  explicit Argument(CLI::Option& option) : option_(&option) {}

  // What stands for its value in the help: FILE.
  Argument& placeholder(const std::string& name);
  // Under this heading in the help.
  Argument& group(const std::string& heading);
  Argument& required();
  // One that may be repeated takes one value each time, not all words behind it.
  Argument& one_at_a_time();
  // Not together with the other one.
  Argument& excludes(const Argument& other);

  Argument& positive();
  Argument& not_negative();
  Argument& between(unsigned least, unsigned most);
  Argument& one_of(const std::vector<std::string>& words);
  // `complaint` says what is wrong with a value; empty: nothing.
  Argument& check(const std::function<std::string(const std::string& value)>& complaint);

 private:
  CLI::Option* option_;
};

// Those of one verb. What they set must live as long as the verb does. A name is that of an option
// ("-o,--output") or of an operand ("PATH").
class Arguments {
 public:
  // Takes a value and returns what is wrong with it, as a sentence; empty: nothing.
  using Take = std::function<std::string(const std::string& value)>;

  explicit Arguments(CLI::App& verb) : verb_(verb) {}

  Argument flag(const std::string& name, bool& value, const std::string& help);
  Argument option(const std::string& name, std::string& value, const std::string& help);
  Argument option(const std::string& name, std::vector<std::string>& values,
                  const std::string& help);
  Argument option(const std::string& name, int& value, const std::string& help);
  Argument option(const std::string& name, unsigned& value, const std::string& help);
  Argument option(const std::string& name, const Take& take, const std::string& help);
  Argument option(const std::string& name, std::optional<unsigned>& value, const std::string& help);
  Argument option(const std::string& name, std::optional<std::uint64_t>& value,
                  const std::string& help);

  // One that is declared already.
  Argument find(const std::string& name);

  // What the help says last.
  void footer(const std::string& text);

 private:
  CLI::App& verb_;
};

}  // namespace seep::cli
