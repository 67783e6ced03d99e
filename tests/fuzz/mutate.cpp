// Drives a fuzz target where there is no libFuzzer: with each file of a folder as it is, and with
// what mutations make of them. The same inputs in every run.
// usage: TARGET EXECUTIONS FOLDER
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

// The name is libFuzzer's. NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace seep::fuzz {
namespace {

using Input = std::vector<std::uint8_t>;

std::vector<Input> read_folder(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Input> inputs;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

class Mutator {
 public:
  explicit Mutator(const std::vector<Input>& corpus) : corpus_(corpus) {}

  // A file of the corpus with one to eight changes.
  Input next() {
    Input input = any();
    for (std::size_t changes = 1 + below(8); changes != 0; --changes) {
      change(input);
    }
    return input;
  }

 private:
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }
  const Input& any() { return corpus_[below(corpus_.size())]; }

  void change(Input& input) {
    const std::size_t at = below(input.size());
    const auto place = input.begin() + static_cast<std::ptrdiff_t>(at);
    switch (below(6)) {
      case 0:
        input.resize(at);
        return;
      case 1:
        input.insert(place, 1 + below(16), static_cast<std::uint8_t>(random_()));
        return;
      case 2:
        input.erase(place, place + static_cast<std::ptrdiff_t>(below(input.size() - at)));
        return;
      case 3:
        splice(input, at);
        return;
      case 4:
        write_number(input, at);
        return;
      default:
        if (at < input.size()) {
          input[at] ^= static_cast<std::uint8_t>(1U << below(8));
        }
    }
  }

  // A piece of another file.
  void splice(Input& input, std::size_t at) {
    const Input& other = any();
    const std::size_t begin = below(other.size());
    const std::size_t end = begin + below(other.size() - begin);
    input.insert(input.begin() + static_cast<std::ptrdiff_t>(at),
                 other.begin() + static_cast<std::ptrdiff_t>(begin),
                 other.begin() + static_cast<std::ptrdiff_t>(end));
  }

  // A count or an offset at the edge of what its type holds.
  void write_number(Input& input, std::size_t at) {
    constexpr std::uint64_t kEdges[] = {0,          1,     0x7FFFFFFF, 0x80000000,
                                        0xFFFFFFFF, ~0ULL, 1ULL << 63};
    const std::uint64_t value = kEdges[below(std::size(kEdges))] + below(3) - 1;
    for (std::size_t i = 0; i < sizeof(value) && at + i < input.size(); ++i) {
      input[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
    }
  }

  const std::vector<Input>& corpus_;
  std::mt19937_64 random_{1};
};

}  // namespace
}  // namespace seep::fuzz

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s EXECUTIONS FOLDER\n", argv[0]);
    return 2;
  }
  const auto corpus = seep::fuzz::read_folder(argv[2]);
  if (corpus.empty()) {
    std::fprintf(stderr, "%s is empty\n", argv[2]);
    return 2;
  }
  for (const auto& input : corpus) {
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  seep::fuzz::Mutator mutator(corpus);
  for (long left = std::atol(argv[1]); left > 0; --left) {
    const auto input = mutator.next();
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  return 0;
}
