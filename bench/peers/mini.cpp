// A program of the project's own for LeakSanitizer, which must be compiled in: words are indexed,
// looked up, and dropped again. Deterministic; leaks nothing; prints one line.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

class Random {
 public:
  std::uint32_t next(std::uint32_t bound) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::uint32_t>(state_ >> 33) % bound;
  }

 private:
  std::uint64_t state_ = 1;
};

struct Node {
  std::string word;
  std::unique_ptr<Node> left;
  std::unique_ptr<Node> right;
};

// Unbalanced insertion; as deep as random words make it.
void insert(std::unique_ptr<Node>& at, const std::string& word) {
  if (at == nullptr) {
    at = std::make_unique<Node>(Node{word, nullptr, nullptr});
  } else if (word != at->word) {
    insert(word < at->word ? at->left : at->right, word);
  }
}

std::string make_word(Random& random) {
  return "word number " + std::to_string(random.next(50000)) + " of the text";
}

std::size_t index_page(Random& random, std::map<std::string, std::list<int>>& index, int page) {
  std::unordered_map<std::string, std::vector<int>> places;
  std::unique_ptr<Node> tree;
  for (int place = 0; place < 400; ++place) {
    const std::string word = make_word(random);
    places[word].push_back(place);
    insert(tree, word);
  }
  for (const auto& [word, found] : places) {
    auto& pages = index[word];
    pages.push_back(page);
    if (pages.size() > 8) {
      pages.pop_front();
    }
  }
  return places.size();
}

}  // namespace

int main(int count, char** words) {
  const int pages = count > 1 ? std::atoi(words[1]) : 1000;
  Random random;
  std::map<std::string, std::list<int>> index;
  std::size_t total = 0;
  for (int page = 0; page < pages; ++page) {
    total += index_page(random, index, page);
  }
  std::printf("%zu words, %zu places\n", index.size(), total);
}
