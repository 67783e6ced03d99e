// Where snapshots go: SEEP_DIR, one directory in it for this process image, its control page, the
// index and the log. Context: IN-AGENT, one thread at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "format/control_page.h"
#include "preload/agent/identity.h"
#include "preload/runtime/text.h"

namespace seep::agent {

// For who writes a line when the recording may be another by then.
struct LogPlace {
  runtime::Path file;
  runtime::Text<300> name;
};
// Also in a task beside the program.
void append_log_line(const LogPlace& place, std::string_view line);

class RecordingDirectory {
 public:
  constexpr RecordingDirectory() = default;
  RecordingDirectory(const RecordingDirectory&) = delete;
  RecordingDirectory& operator=(const RecordingDirectory&) = delete;

  // Makes `setting` absolute, expanding %h %p %e %t as core(5) does. Nothing is created yet.
  // `temporary` ($TMPDIR, or empty) is where recordings go when it cannot be written.
  void set_base(std::string_view setting, std::string_view temporary, const Identity& identity);
  [[nodiscard]] std::string_view base() const { return base_.view(); }

  // Creates what is missing: the base (or its fall-backs) and <exe>.<pid>[.<n>] with a control
  // page. False when no directory could be written; snapshots then fail and are counted.
  bool open(const Identity& identity);
  [[nodiscard]] bool is_open() const { return is_open_; }

  // A descriptor of the recording, good until release(); negative when the recording is gone.
  int descriptor();
  // Closes it, so that the program does not find it among its own; a kept one stays.
  void release();
  // Keeps it from now on: the path may soon lead elsewhere, or open nothing any more.
  void keep();
  [[nodiscard]] unsigned image() const { return image_; }
  [[nodiscard]] std::string_view name() const { return name_.view(); }

  // Removes a recording that holds no snapshot.
  void discard();

  // In a fork's child: the parent's recording is not ours.
  void forget();

  // Whether it belongs to the user that the process runs as now.
  [[nodiscard]] bool is_of_this_user() const;
  // Leaves a recording as it is, so that open() makes another. Where its control page was, an empty
  // one is mapped, since another thread may be reading it.
  void leave();

  // Null until open() and where the kernel refuses the mapping.
  [[nodiscard]] format::ControlPage* control() const {
    return control_.load(std::memory_order_acquire);
  }

  // Appends one line to SEEP_DIR/index or SEEP_DIR/seep.log (1 MB at most); opens nothing else.
  void append_index(std::string_view line) const;
  void log(std::string_view line) const;
  // SEEP_DIR/seep.log, and what a line in it begins with.
  [[nodiscard]] LogPlace log_place() const;
  [[nodiscard]] std::string_view path() const { return path_.view(); }
  // Keeps SEEP_DIR within `budget_bytes` and a tenth of what is free; returns recordings removed.
  unsigned enforce_budget(std::uint64_t budget_bytes);

 private:
  int open_base(bool must_be_ours) const;
  bool create_recording(int base, const Identity& identity);
  void create_control(const Identity& identity);
  bool take_descriptor(int fd);
  [[nodiscard]] bool is_the_recording(int fd) const;
  void close_descriptor();
  void close();

  runtime::Path base_;
  runtime::Path temporary_;
  runtime::Path path_;       // of the recording
  runtime::Text<300> name_;  // its last component
  bool is_open_ = false;
  bool is_kept_ = false;
  int directory_ = -1;        // the descriptor, while there is one
  std::uint64_t device_ = 0;  // of the recording, to recognise it
  std::uint64_t inode_ = 0;
  std::uint32_t owner_ = 0;
  unsigned image_ = 1;
  // Release in create_control, acquire in control().
  std::atomic<format::ControlPage*> control_{nullptr};
};

// With the scan that was made for it.
void remove_snapshot(int directory, std::uint32_t sequence);

// snapshot-NNNNNN.seep, scan-NNNNNN.seep
runtime::Text<64> snapshot_name(std::uint32_t sequence);
runtime::Text<64> scan_name(std::uint32_t sequence);

}  // namespace seep::agent
