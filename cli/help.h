// How --help looks: one column of options, one of wrapped text, and nothing of CLI11's inner words.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <string>

namespace seep::cli {

class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter();

  // "Usage: seep report [options] PATH..."
  [[nodiscard]] std::string make_usage(const CLI::App* app, std::string name) const override;

  // The placeholder of the value: " FILE".
  [[nodiscard]] std::string make_option_opts(const CLI::Option* option) const override;

  [[nodiscard]] std::string make_option_desc(const CLI::Option* option) const override;
};

// "FILE": what stands for the value of an option.
std::string placeholder(const CLI::Option* option);

// `text` with line breaks so that no line is longer than `width`, except for longer words.
std::string wrap(const std::string& text, std::size_t width);

}  // namespace seep::cli
