#include "cli/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "cli/exit_status.h"
#include "cli/help.h"
#include "cli/man_page.h"

namespace seep::cli {
namespace {

int complain(const std::string& what, const std::string& verb) {
  fmt::print(stderr, "seep{}: {}\nTry: seep{} --help\n", verb.empty() ? "" : " " + verb, what,
             verb.empty() ? "" : " " + verb);
  return kWrongUsage;
}

bool is_later_verb(const std::string& word) {
  const auto verbs = later_verbs();
  return std::any_of(verbs.begin(), verbs.end(), [&](const char* verb) { return word == verb; });
}

const Command* find_command(const std::string& word) {
  const auto all = commands();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Command& c) { return word == c.name; });
  return found == all.end() ? nullptr : &*found;
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

CommandLine::CommandLine()
    : app_("seep finds what makes a long-running Linux process grow.", "seep") {
  app_.formatter(std::make_shared<HelpFormatter>());
  app_.set_version_flag("--version", "seep " SEEP_VERSION, "Print the version and exit");
  app_.set_help_flag("-h,--help", "Print this help and exit");
  app_.add_flag("--man", print_manual_, "Print the manual page")
      ->group("");  // hidden: for the build
  app_.footer(
      "`seep VERB --help` says what a verb takes; `man seep` says everything.\n"
      "Exit status: 0 done, 1 --check found a leak, 2 wrong usage, 3 unreadable or damaged\n"
      "input, 4 internal error. `seep run` ends with the status of CMD.");
  for (const Command& command : commands()) {
    CLI::App* verb = app_.add_subcommand(command.name, command.summary);
    verb->footer("");  // not that of the whole command
    Arguments arguments(*verb);
    actions_[verb] = command.describe(arguments);
  }
}

int CommandLine::run(const std::vector<std::string>& arguments) {
  const std::string verb = arguments.empty() ? "" : arguments.front();
  const Command* command = find_command(verb);
  if (is_later_verb(verb)) {
    return complain(verb + " is not available in this version", "");
  }
  if (command == nullptr && !verb.starts_with("-")) {
    return complain(verb.empty() ? "which verb?" : "there is no verb `" + verb + "`", "");
  }
  // Words of the program to start must not be taken for options of ours.
  auto split = arguments.end();
  if (command != nullptr && command->takes_command) {
    split = std::find(arguments.begin(), arguments.end(), "--");
  }
  std::vector<std::string> own(arguments.begin(), split);
  const std::vector<std::string> words(split == arguments.end() ? split : split + 1,
                                       arguments.end());
  std::reverse(own.begin(), own.end());  // the order that CLI11 takes a vector in
  try {
    app_.parse(own);
  } catch (const CLI::Success& request) {  // --help or --version
    return app_.exit(request);
  } catch (const CLI::ExtrasError& error) {
    const bool forgot_dashes = command != nullptr && command->takes_command && words.empty();
    return complain(
        one_line(error.what()) + (forgot_dashes ? " (the program stands after --)" : ""),
        command == nullptr ? "" : command->name);
  } catch (const CLI::ParseError& error) {
    return complain(one_line(error.what()), command == nullptr ? "" : command->name);
  }
  return dispatch(words);
}

int CommandLine::dispatch(const std::vector<std::string>& words) {
  if (print_manual_) {
    fmt::print("{}", manual(app_));
    return kDone;
  }
  const std::vector<CLI::App*> verbs = app_.get_subcommands();
  return verbs.empty() ? complain("which verb?", "") : actions_.at(verbs.front())(words);
}

}  // namespace seep::cli
