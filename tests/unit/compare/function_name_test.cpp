#include "analyzer/compare/function_name.h"

#include <gtest/gtest.h>

namespace seep::compare {
namespace {

TEST(FunctionName, IsTakenApart) {
  const FunctionName name =
      function_name("void app::Table<int, char>::add<long>(int, char const*) const");
  EXPECT_EQ(name.scopes, (std::vector<std::string>{"app", "Table"}));
  EXPECT_EQ(name.scope_arguments, (std::vector<std::string>{"", "<int,char>"}));
  EXPECT_EQ(name.base, "add");
  EXPECT_EQ(name.arguments, "<long>");
  EXPECT_EQ(name.parameters, "(int,charconst*)");
}

TEST(FunctionName, OfAFunctionLocalToAnother) {
  const FunctionName name = function_name("run(int)::Job::start()");
  EXPECT_EQ(name.scopes, (std::vector<std::string>{"run", "Job"}));
  EXPECT_EQ(name.base, "start");
}

TEST(FunctionName, OfLibcHasNoAliases) {
  for (const char* alias : {"strdup", "__strdup", "__GI___strdup", "__interceptor_strdup"}) {
    EXPECT_EQ(function_name(alias).base, "strdup") << alias;
  }
  EXPECT_EQ(function_name("libc_ready").base, "libc_ready");
  EXPECT_EQ(function_name("app::__strdup").base, "__strdup");
}

TEST(FunctionName, AnyTextIsTaken) {
  for (const char* text : {"", "<", "((((", "a<b<c", "operator", "::", "f(", "$_", "{lambda(", " ",
                           "operator<", "<lambda(", "x::y::", "''lambda"}) {
    function_name(text);
  }
  function_name(std::string(100'000, '('));
}

TEST(FunctionNames, AreTheSameAsFarAsBothSay) {
  const auto same = [](const char* a, const char* b) {
    return compare_names(function_name(a), function_name(b));
  };
  EXPECT_EQ(same("open", "net::Socket::open(int)"), SameName::kYes);
  EXPECT_EQ(same("Socket::open", "net::Socket::open(int)"), SameName::kYes);
  EXPECT_EQ(same("File::open", "net::Socket::open(int)"), SameName::kNo);
  EXPECT_EQ(same("open(long)", "net::Socket::open(int)"), SameName::kOtherInstance);
  EXPECT_EQ(same("Box<int>::make", "Box<long>::make"), SameName::kOtherInstance);
  EXPECT_EQ(same("Box::make", "Box<long>::make"), SameName::kYes);
  EXPECT_EQ(same("operator()", "main::$_3::operator()() const"), SameName::kYes);
}

}  // namespace
}  // namespace seep::compare
