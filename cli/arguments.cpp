#include "cli/arguments.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace seep::cli {

Argument& Argument::placeholder(const std::string& name) {
  option_->type_name(name);
  return *this;
}

Argument& Argument::group(const std::string& heading) {
  option_->group(heading);
  return *this;
}

Argument& Argument::required() {
  option_->required();
  return *this;
}

Argument& Argument::one_at_a_time() {
  option_->allow_extra_args(false);
  return *this;
}

Argument& Argument::excludes(const Argument& other) {
  option_->excludes(other.option_);
  return *this;
}

Argument& Argument::positive() {
  option_->check(CLI::PositiveNumber);
  return *this;
}

Argument& Argument::not_negative() {
  option_->check(CLI::NonNegativeNumber);
  return *this;
}

Argument& Argument::between(unsigned least, unsigned most) {
  option_->check(CLI::Range(least, most));
  return *this;
}

Argument& Argument::one_of(const std::vector<std::string>& words) {
  option_->check(CLI::IsMember(words));
  return *this;
}

Argument& Argument::check(const std::function<std::string(const std::string&)>& complaint) {
  option_->check(complaint);
  return *this;
}

Argument Arguments::flag(const std::string& name, bool& value, const std::string& help) {
  return Argument(*verb_.add_flag(name, value, help));
}

Argument Arguments::option(const std::string& name, std::string& value, const std::string& help) {
  return Argument(*verb_.add_option(name, value, help));
}

Argument Arguments::option(const std::string& name, std::vector<std::string>& values,
                           const std::string& help) {
  return Argument(*verb_.add_option(name, values, help));
}

Argument Arguments::option(const std::string& name, int& value, const std::string& help) {
  return Argument(*verb_.add_option(name, value, help));
}

Argument Arguments::option(const std::string& name, unsigned& value, const std::string& help) {
  return Argument(*verb_.add_option(name, value, help));
}

Argument Arguments::option(const std::string& name, const Take& take, const std::string& help) {
  const auto parse = [take](const std::string& value) {
    const std::string complaint = take(value);
    if (!complaint.empty()) {
      throw CLI::ValidationError(complaint);
    }
  };
  return Argument(*verb_.add_option_function<std::string>(name, parse, help));
}

Argument Arguments::option(const std::string& name, std::optional<unsigned>& value,
                           const std::string& help) {
  return Argument(*verb_.add_option(name, value, help));
}

Argument Arguments::option(const std::string& name, std::optional<std::uint64_t>& value,
                           const std::string& help) {
  return Argument(*verb_.add_option(name, value, help));
}

Argument Arguments::find(const std::string& name) {
  return Argument(*verb_.get_option(name));
}

void Arguments::footer(const std::string& text) {
  verb_.footer(text);
}

}  // namespace seep::cli
