#include "analyzer/export/sarif.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "analyzer/export/frame_name.h"
#include "analyzer/model/printable.h"
#include "analyzer/report/frame_kind.h"
#include "analyzer/report/lines.h"

namespace seep::exporters {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kRoot = "SRCROOT";
constexpr std::size_t kMostStacks = 5;  // of one leak

struct Rule {
  const char* verdict;
  const char* name;
  const char* text;
};
constexpr Rule kRules[] = {
    {"growing", "GrowingMemory",
     "Memory that this code allocates becomes more and more, and is not released."},
    {"unreachable", "UnreachableMemory",
     "Memory that this code allocated has no pointer to it any more: nothing can release it."},
};

Json text_of(std::string_view text) {
  return {{"text", model::printable(text)}};
}

Json rule_of(const char* verdict, const char* name, const char* text) {
  return {{"id", verdict},
          {"name", name},
          {"shortDescription", text_of(text)},
          {"defaultConfiguration", {{"level", "error"}}}};
}

class Writer {
 public:
  Writer(const model::Report& report, const SarifOptions& options, const Write& write)
      : report_(report), options_(options), write_(write), root_(options.root) {
    while (root_.ends_with('/')) {
      root_.pop_back();
    }
  }

  void run() {
    write_(
        R"({"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{)"
        "\n\"tool\":");
    add(tool());
    // So that reports of several programs, uploaded together, do not replace each other.
    write_(",\n\"automationDetails\":");
    add(Json::object({{"id", "seep/" + model::printable(report::base_name(executable())) + "/"}}));
    write_(",\n\"invocations\":");
    add(invocations());
    if (!options_.root.empty()) {
      write_(",\n\"originalUriBaseIds\":");
      add({{kRoot, {{"uri", uri_of(root_ + "/")}}}});
    }
    write_(",\n\"results\":[");
    bool is_first = true;
    for (const model::Suspect& suspect : report_.suspects) {
      if (suspect.leak) {
        write_(std::exchange(is_first, false) ? "\n" : ",\n");
        add(result_of(suspect));
      }
    }
    write_("]}]}\n");
  }

 private:
  [[nodiscard]] const std::string& executable() const {
    return report::main_process(report_).info.exe;
  }

  void add(const Json& json) { write_(json.dump()); }  // all texts in it are printable

  // The rules of this program, and those that a report of a later version may add.
  Json tool() {
    Json rules = Json::array();
    for (const Rule& rule : kRules) {
      rules.push_back(rule_of(rule.verdict, rule.name, rule.text));
      verdicts_.emplace_back(rule.verdict);
    }
    for (const model::Suspect& suspect : report_.suspects) {
      if (suspect.leak && rule_index(suspect.verdict) == verdicts_.size()) {
        rules.push_back(rule_of(suspect.verdict.c_str(), "Leak", "Memory that is not released."));
        verdicts_.push_back(suspect.verdict);
      }
    }
    return {
        {"driver", {{"name", "seep"}, {"semanticVersion", options_.version}, {"rules", rules}}}};
  }

  [[nodiscard]] std::size_t rule_index(const std::string& verdict) const {
    return static_cast<std::size_t>(std::find(verdicts_.begin(), verdicts_.end(), verdict) -
                                    verdicts_.begin());
  }

  [[nodiscard]] Json invocations() const {
    Json all = Json::array();
    for (const model::ReportProcess& process : report_.processes) {
      // Of the analysis, which came to its end; how the process ended is beside it.
      Json one = {{"executionSuccessful", true},
                  {"processId", process.info.pid},
                  {"executableLocation", location_of_file(process.info.exe)}};
      if (process.end.status) {
        one["exitCode"] = *process.end.status;
      }
      if (process.info.started_unix_ns != 0) {
        const auto seconds = static_cast<std::time_t>(process.info.started_unix_ns / 1'000'000'000);
        std::tm utc{};
        gmtime_r(&seconds, &utc);
        one["startTimeUtc"] = fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", utc);
      }
      all.push_back(one);
    }
    return all;
  }

  [[nodiscard]] Json location_of_file(const std::string& given) const {
    const std::string file = std::filesystem::path(given).lexically_normal().string();
    const std::string prefix = root_ + '/';
    if (!options_.root.empty() && file.starts_with(prefix)) {
      return {{"uri", uri_of(file.substr(prefix.size()))}, {"uriBaseId", kRoot}};
    }
    return {{"uri", uri_of(file)}};
  }

  // The line; the module where no file is known, the program where there is neither: readers refuse
  // a location without a file.
  [[nodiscard]] Json location_of(const model::ReportFrame& frame) const {
    Json location = Json::object();
    const std::string& module = frame.module.empty() ? executable() : frame.module;
    location["physicalLocation"] = {
        {"artifactLocation", location_of_file(frame.file ? *frame.file : module)}};
    if (frame.file && frame.line.value_or(0) != 0) {
      location["physicalLocation"]["region"] = {{"startLine", *frame.line}};
    }
    location["logicalLocations"] =
        Json::array({{{"fullyQualifiedName", frame_name(frame)}, {"kind", "function"}}});
    location["message"] = {{"text", frame_name(frame)}};
    return location;
  }

  [[nodiscard]] Json stack_of(const model::SuspectPath& path) const {
    Json frames = Json::array();
    for (const model::ReportFrame& frame : path.stack) {
      Json one = {{"location", location_of(frame)}};
      if (!frame.module.empty()) {
        one["module"] = model::printable(frame.module);
      }
      frames.push_back(one);
    }
    return {
        {"message", text_of(report::live_text(path.live_bytes, std::nullopt, path.live_blocks))},
        {"frames", frames}};
  }

  // From the outermost frame to the allocation.
  [[nodiscard]] Json code_flow_of(const model::ReportStack& stack) const {
    Json locations = Json::array();
    for (auto frame = stack.rbegin(); frame != stack.rend(); ++frame) {
      locations.push_back({{"location", location_of(*frame)}});
    }
    return {{"threadFlows", Json::array({{{"locations", locations}}})}};
  }

  [[nodiscard]] Json stacks_of(const model::Suspect& suspect) const {
    Json stacks = Json::array();
    for (std::size_t i = 0; i < std::min(suspect.paths.size(), kMostStacks); ++i) {
      stacks.push_back(stack_of(suspect.paths[i]));
    }
    if (stacks.empty()) {  // a row a site: the stack is the path
      stacks.push_back(stack_of(
          {suspect.live_bytes, suspect.live_blocks, suspect.stack, suspect.blame, std::nullopt}));
    }
    return stacks;
  }

  static Json properties_of(const model::Suspect& suspect) {
    Json properties = {{"kind", model::name_of(suspect.kind)},
                       {"behaviour", model::name_of(suspect.behaviour)},
                       {"liveBytes", suspect.live_bytes},
                       {"liveBlocks", suspect.live_blocks}};
    const auto add_known = [&](const char* name, const auto& value) {
      if (value) {
        properties[name] = *value;
      }
    };
    add_known("confidence", suspect.confidence);
    add_known("growthBytesPerSecond", suspect.growth_bytes_per_s);
    add_known("growthBytesPerUnit", suspect.growth_bytes_per_unit);
    add_known("unreachableBytes", suspect.unreachable_bytes);
    return properties;
  }

  [[nodiscard]] Json result_of(const model::Suspect& suspect) const {
    Json result = {{"ruleId", suspect.verdict},
                   {"ruleIndex", rule_index(suspect.verdict)},
                   {"level", "error"},
                   {"message", text_of(report::suspect_text(suspect) + ": " + suspect.why)},
                   {"partialFingerprints", {{"seepSuspect/v1", suspect.id}}},
                   {"properties", properties_of(suspect)}};
    if (!suspect.stack.empty()) {
      const std::size_t blame = std::min<std::size_t>(suspect.blame, suspect.stack.size() - 1);
      result["locations"] = Json::array({location_of(suspect.stack[blame])});
      result["codeFlows"] = Json::array({code_flow_of(suspect.stack)});
      result["stacks"] = stacks_of(suspect);
    } else {
      result["locations"] = Json::array(
          {{{"physicalLocation", {{"artifactLocation", location_of_file(executable())}}}}});
    }
    if (suspect.suppressed_by) {
      result["suppressions"] = Json::array(
          {{{"kind", "external"}, {"justification", model::printable(*suspect.suppressed_by)}}});
    }
    return result;
  }

  const model::Report& report_;
  const SarifOptions& options_;
  const Write& write_;
  std::string root_;                   // without a slash at its end
  std::vector<std::string> verdicts_;  // of the rules, in their order
};

}  // namespace

std::string uri_of(const std::string& path) {
  std::string uri = path.starts_with('/') ? "file://" : "";
  for (const char c : path) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') ||
                          std::string_view("-._~/").find(c) != std::string_view::npos;
    uri += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return uri;
}

void write_sarif(const model::Report& report, const SarifOptions& options, const Write& write) {
  Writer(report, options, write).run();
}

}  // namespace seep::exporters
