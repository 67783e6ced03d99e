// Blocks of the standard library's containers by the frames that made them, as gcc 12 names them.
#include "analyzer/report/container_name.h"

#include <gtest/gtest.h>

#include "tests/unit/report/fixture.h"

namespace seep::report {
namespace {

std::string name_of(std::initializer_list<const char*> functions) {
  model::ReportStack stack;
  for (const char* function : functions) {
    stack.push_back(frame(function, "a.cpp", 1));
  }
  return container_name(stack);
}

TEST(ContainerName, IsThatOfTheContainer) {
  EXPECT_EQ(name_of({"std::__new_allocator<int>::allocate(unsigned long, void const*)",
                     "std::allocator_traits<std::allocator<int> >::allocate(std::allocator<int>&, "
                     "unsigned long)",
                     "std::_Vector_base<int, std::allocator<int> >::_M_allocate(unsigned long)",
                     "void std::vector<int, std::allocator<int> >::_M_realloc_insert<int>(int&&)",
                     "main"}),
            "std::vector buffer");
  EXPECT_EQ(name_of({"std::_Rb_tree<int, std::pair<int const, Session>, "
                     "std::_Select1st<std::pair<int const, Session> >, std::less<int>, "
                     "std::allocator<std::pair<int const, Session> > >::_M_get_node()",
                     "std::map<int, Session>::operator[](int&&)", "add_session(int)"}),
            "std::map node");
  EXPECT_EQ(name_of({"std::_Rb_tree<int, int, std::_Identity<int>, std::less<int>, "
                     "std::allocator<int> >::_M_get_node()"}),
            "std::set node");
  EXPECT_EQ(
      name_of({"std::__detail::_Hashtable_alloc<std::allocator<std::__detail::_Hash_node<int, "
               "false> > >::_M_allocate_node<int>(int&&)",
               "std::_Hashtable<int, std::pair<int const, int>, std::allocator<std::pair<int "
               "const, int> >, std::__detail::_Select1st, std::equal_to<int> >::_M_emplace(int)"}),
      "std::unordered_map node");
  EXPECT_EQ(
      name_of({"std::__detail::_Hashtable_alloc<std::allocator<std::__detail::_Hash_node<int, "
               "false> > >::_M_allocate_buckets(unsigned long)",
               "std::_Hashtable<int, std::pair<int const, int>, std::allocator<std::pair<int "
               "const, int> >, std::__detail::_Select1st, std::equal_to<int> >::_M_rehash(int)"}),
      "std::unordered_map buckets");
  EXPECT_EQ(name_of({"std::__cxx11::_List_base<int, std::allocator<int> >::_M_get_node()",
                     "std::__cxx11::list<int, std::allocator<int> >::push_back(int&&)"}),
            "std::list node");
  EXPECT_EQ(name_of({"std::__cxx11::basic_string<char, std::char_traits<char>, "
                     "std::allocator<char> >::_M_create(unsigned long&, unsigned long)"}),
            "std::string buffer");
}

TEST(ContainerName, IsNothingForOtherBlocks) {
  EXPECT_EQ(name_of({"add_session(int)", "std::vector<int>::push_back(int const&)"}), "");
  EXPECT_EQ(name_of({"std::make_unique<Session>()", "open_session"}), "");
  EXPECT_EQ(name_of({}), "");
  EXPECT_EQ(container_name({model::ReportFrame{}}), "");
}

}  // namespace
}  // namespace seep::report
