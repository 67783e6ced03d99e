// Brings a whole snapshot file into memory. It is read, not mapped: a mapped file that somebody
// cuts meanwhile kills the reader with SIGBUS.
#pragma once

#include <memory>
#include <string>

#include "analyzer/model/result.h"
#include "analyzer/read/bytes.h"

namespace seep::read {

class LoadedFile {
 public:
  LoadedFile(std::unique_ptr<unsigned char[]> data, std::size_t size)
      : data_(std::move(data)), size_(size) {}
  [[nodiscard]] Bytes bytes() const { return {data_.get(), size_}; }

 private:
  std::unique_ptr<unsigned char[]> data_;
  std::size_t size_;
};

// Refuses what is not a regular file (a FIFO must not block, a directory is told apart), is empty,
// or does not begin with the magic of a snapshot; so a large foreign file is never read whole.
Result<LoadedFile> load_file(const std::string& path);

}  // namespace seep::read
