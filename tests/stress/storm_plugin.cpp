// Loaded and unloaded by the storm: allocates as it comes, works and goes.
#include <list>
#include <string>

namespace {

// Threads that have it loaded at the same time share this, so they leave it alone.
struct AsItComesAndGoes {
  AsItComesAndGoes() : texts(20, std::string(STORM_BYTES, 'p')) {}
  std::list<std::string> texts;
};
AsItComesAndGoes g_texts;

}  // namespace

extern "C" __attribute__((visibility("default"))) void storm_plugin_work(int rounds) {
  std::list<std::string> texts;
  for (int i = 0; i < rounds; ++i) {
    texts.emplace_back(STORM_BYTES + static_cast<unsigned>(i), 'w');
  }
}
