#include "analyzer/report/user_code.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <tuple>

namespace seep::report {
namespace {

constexpr std::array kPackageFolders = {"vendor", "site-packages", "dist-packages", "node_modules"};

// "python3.11", "python3.13t", "python311.zip": beside "lib", Python's own modules.
bool is_python_library(std::string_view folder) {
  constexpr std::string_view kName = "python";
  return folder.starts_with(kName) && folder.size() > kName.size() && folder[kName.size()] >= '0' &&
         folder[kName.size()] <= '9';
}

bool is_package_folder(std::string_view parent, std::string_view folder) {
  return std::find(kPackageFolders.begin(), kPackageFolders.end(), folder) !=
             kPackageFolders.end() ||
         (parent.starts_with("lib") && is_python_library(folder)) ||
         (parent == "share" && folder == "php");
}

auto key_of(const model::UserLine& line) {
  return std::tie(line.function, line.file, line.line);
}

}  // namespace

bool is_user_file(std::string_view path) {
  if (path.empty() || path.starts_with('<') || path.starts_with('@') || path.starts_with("node:")) {
    return false;
  }
  std::string_view parent;
  // The last component is the file itself.
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/')) {
    const std::string_view folder = path.substr(0, slash);
    if (is_package_folder(parent, folder)) {
      return false;
    }
    parent = folder;
    path.remove_prefix(slash + 1);
  }
  return true;
}

bool is_user_frame(const model::ReportFrame& frame) {
  return frame.language != model::Language::kNative && frame.function && frame.file &&
         is_user_file(*frame.file);
}

std::optional<unsigned> user_frame(const model::ReportStack& stack, unsigned blame) {
  for (unsigned i = blame; i < stack.size(); ++i) {
    if (is_user_frame(stack[i])) {
      return i;
    }
  }
  return std::nullopt;
}

void add_user_line(std::vector<model::UserLine>& lines, const model::ReportFrame& frame,
                   std::uint64_t live_bytes, std::uint64_t live_blocks) {
  model::UserLine added{*frame.function, *frame.file, frame.line, frame.language,
                        live_bytes,      live_blocks, {}};
  const auto same = std::find_if(lines.begin(), lines.end(), [&](const model::UserLine& line) {
    return key_of(line) == key_of(added);
  });
  if (same == lines.end()) {
    lines.push_back(std::move(added));
    return;
  }
  same->live_bytes += live_bytes;
  same->live_blocks += live_blocks;
}

std::vector<model::UserLine> shared_user_lines(const std::vector<model::Suspect>& suspects) {
  std::map<std::tuple<std::string, std::string, std::optional<unsigned>>, model::UserLine> sums;
  for (const model::Suspect& suspect : suspects) {
    if (!suspect.leak || suspect.suppressed_by) {
      continue;
    }
    for (const model::UserLine& line : suspect.user_lines) {
      const auto [entry, is_new] = sums.try_emplace(key_of(line), line);
      if (!is_new) {
        entry->second.live_bytes += line.live_bytes;
        entry->second.live_blocks += line.live_blocks;
      }
      entry->second.suspects.push_back(suspect.rank);
    }
  }
  std::vector<model::UserLine> shared;
  for (auto& [key, line] : sums) {
    if (line.suspects.size() > 1) {
      shared.push_back(std::move(line));
    }
  }
  std::stable_sort(shared.begin(), shared.end(),
                   [](const auto& a, const auto& b) { return a.live_bytes > b.live_bytes; });
  return shared;
}

}  // namespace seep::report
