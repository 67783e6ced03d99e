// Result<T>: a value, or an Error that names what happened, where, and what to do.
// No exception crosses a folder of the analyzer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace seep {

// What kind of trouble; decides the exit status (design §2.4).
enum class ErrorKind { kUsage = 2, kBadInput = 3, kInternal = 4 };

struct Error {
  ErrorKind kind = ErrorKind::kBadInput;
  std::string file;                     // the file or directory it is about; may be empty
  std::optional<std::uint64_t> offset;  // where in the file
  std::string section;                  // which section of a snapshot; may be empty
  std::string what;                     // "section is cut: 120 of 4,096 bytes"
  std::string advice;                   // "copy it again" ; may be empty

  // "seep: FILE: section sites: WHAT (at 0x40): ADVICE", safe for a terminal.
  [[nodiscard]] std::string message() const;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return std::holds_alternative<T>(state_); }
  explicit operator bool() const { return ok(); }

  // Only when ok().
  [[nodiscard]] T& value() { return std::get<T>(state_); }
  [[nodiscard]] const T& value() const { return std::get<T>(state_); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }

  // Only when not ok().
  [[nodiscard]] const Error& error() const { return std::get<Error>(state_); }

 private:
  std::variant<T, Error> state_;
};

}  // namespace seep
