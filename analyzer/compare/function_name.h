// A function's name taken apart, so that names which tools write differently can be compared:
// mangled or not, with or without scope, template arguments and parameters. Pure, thread safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seep::compare {

struct FunctionName {
  std::vector<std::string> scopes;           // outermost first, without template arguments
  std::vector<std::string> scope_arguments;  // of each scope: "<int>"; may be empty
  std::string base;
  std::string arguments;                  // of the base's template: "<int,long>"; may be empty
  std::optional<std::string> parameters;  // "(int,long)"; null where the tool leaves them out
};

// Of any text. Left out: clone suffixes (".part.0", "[clone .isra.0]"), symbol versions, ABI tags,
// inline namespaces of the standard libraries, anonymous namespaces, numbers of lambdas, return
// types, and what aliases of libc and interceptors put before a name ("__GI_", "__interceptor_").
FunctionName function_name(std::string_view written);

enum class SameName {
  kNo,
  kOtherInstance,  // other template arguments, or another overload
  kYes,            // as far as both tools say: "open" and "net::Socket::open(int)"
};

SameName compare_names(const FunctionName& a, const FunctionName& b);

}  // namespace seep::compare
