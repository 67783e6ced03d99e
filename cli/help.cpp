#include "cli/help.h"

#include <sstream>

#include "cli/command.h"

namespace seep::cli {
namespace {

constexpr std::size_t kOptionColumn = 26;
constexpr std::size_t kTextWidth = 72;

bool takes_command(const std::string& verb) {
  for (const Command& command : commands()) {
    if (verb == command.name) {
      return command.takes_command;
    }
  }
  return false;
}

std::string words_after_options(const CLI::App* app) {
  if (!app->get_subcommands([](const CLI::App*) { return true; }).empty()) {
    return " VERB";
  }
  if (takes_command(app->get_name())) {
    return " -- CMD [arguments]";
  }
  std::string words;
  for (const CLI::Option* option : app->get_options()) {
    if (option->get_positional()) {
      const std::string name =
          option->get_name(true) + (option->get_expected_max() > 1 ? "..." : "");
      words += option->get_required() ? " " + name : " [" + name + "]";
    }
  }
  return words;
}

}  // namespace

HelpFormatter::HelpFormatter() {
  column_width(kOptionColumn);
  label("Positionals", "Arguments");
}

std::string HelpFormatter::make_usage(const CLI::App* app, std::string) const {
  const bool is_verb = app->get_parent() != nullptr;
  return "Usage: seep" + (is_verb ? " " + app->get_name() + " [options]" : std::string()) +
         words_after_options(app) + "\n";
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  const bool has_value = option->get_type_size() != 0 && !option->get_positional();
  return has_value ? " " + placeholder(option) : std::string();
}

std::string HelpFormatter::make_option_desc(const CLI::Option* option) const {
  return wrap(option->get_description(), kTextWidth);
}

// Without what a check adds: "N:INT in [0 - 255]".
std::string placeholder(const CLI::Option* option) {
  const std::string type = option->get_type_name();
  return type.substr(0, type.find(':'));
}

std::string wrap(const std::string& text, std::size_t width) {
  std::istringstream words(text);
  std::string wrapped;
  std::size_t line = 0;
  for (std::string word; words >> word;) {
    const bool fits = line + 1 + word.size() <= width;
    if (line > 0) {
      wrapped += fits ? ' ' : '\n';
      line = fits ? line + 1 : 0;
    }
    wrapped += word;
    line += word.size();
  }
  return wrapped;
}

}  // namespace seep::cli
