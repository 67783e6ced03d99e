// A fixture library loaded into the test, and what a recording would say about it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyzer/model/report.h"
#include "analyzer/model/snapshot.h"
#include "analyzer/symbolize/symbolizer.h"

namespace seep::symbolize {

class Fixture {
 public:
  // `file` is a name below the folder of the fixtures. A missing file fails the test.
  explicit Fixture(const std::string& file);
  ~Fixture();
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  // As the recorder describes it; its build-id as readelf would show it.
  [[nodiscard]] const model::Module& module() const { return module_; }

  // The ELF virtual address of the return address that an exported function gives.
  std::uint64_t return_address(const char* function);

  // Of anything exported.
  std::uint64_t address_of(const char* symbol);

  // The same for the entries of symbols.S.
  std::uint64_t symbol_address(unsigned index);

  // The frames at such a return address.
  model::ReportStack frames(const char* function, const Options& options = {});

 private:
  void* find(const char* symbol);

  void* handle_ = nullptr;
  std::uint64_t bias_ = 0;
  model::Module module_;
};

// The path of a file below the folder of the fixtures.
std::string fixture_path(const std::string& file);

// The line of frames.cpp that ends in "// MARKER name".
unsigned line_of(const std::string& marker);

// A node for an address in the recording's first module.
model::Node node_at(std::uint64_t offset, bool exact_pc);

// "function file:line" a frame, innermost first; what is missing is "?".
std::vector<std::string> described(const model::ReportStack& stack);

}  // namespace seep::symbolize
