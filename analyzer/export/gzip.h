// Compresses a stream piece by piece, as gzip does. Not thread safe.
#pragma once

#include <memory>
#include <string_view>

#include "analyzer/export/write.h"

namespace seep::exporters {

class Gzip {
 public:
  // What is compressed goes to `write`, which must outlive the object.
  explicit Gzip(const Write& write);
  ~Gzip();
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  void add(std::string_view bytes);
  // The end of the stream; nothing is added after it.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace seep::exporters
