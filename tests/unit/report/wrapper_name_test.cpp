// Names of wrappers, and names that only look like one.
#include "analyzer/report/wrapper_name.h"

#include <gtest/gtest.h>

#include "analyzer/report/frame_kind.h"
#include "tests/unit/report/fixture.h"

namespace seep::report {
namespace {

class IsAWrapper : public testing::TestWithParam<const char*> {};
class IsNoWrapper : public testing::TestWithParam<const char*> {};
class DependsOnItsCallers : public testing::TestWithParam<const char*> {};

TEST_P(IsAWrapper, ByItsName) {
  EXPECT_EQ(wrapper_name(bare_name(frame(GetParam(), nullptr, 0))), WrapperName::kYes);
}

TEST_P(IsNoWrapper, ByItsName) {
  EXPECT_EQ(wrapper_name(bare_name(frame(GetParam(), nullptr, 0))), WrapperName::kNo);
}

TEST_P(DependsOnItsCallers, ByItsName) {
  EXPECT_EQ(wrapper_name(bare_name(frame(GetParam(), nullptr, 0))), WrapperName::kPerhaps);
}

INSTANTIATE_TEST_SUITE_P(
    All, IsAWrapper,
    testing::Values(
        // C programs
        "xmalloc", "xcalloc", "xrealloc", "xmallocarray", "xstrdup", "xstrndup", "xmemdup",
        "zmalloc", "zcalloc", "zrealloc", "ztrymalloc_usable", "zmalloc_usable_internal",
        "ztrycalloc_usable", "zstrdup", "emalloc", "safe_malloc", "safemalloc", "checked_malloc",
        "my_malloc", "mymalloc", "mem_alloc", "mem_alloc_or_die", "malloc_or_die", "must_alloc",
        "alloc_or_exit", "rpl_malloc", "rpl_realloc", "x2nrealloc", "xnmalloc", "do_malloc",
        "reallocarray_safe", "allocate_memory", "AllocateMemory", "arena_alloc", "pool_alloc",
        "palloc", "malloc_aligned", "aligned_malloc", "SafeRealloc", "fast_zalloc",
        "xmalloc.constprop.0", "xmalloc.isra.0",
        // libraries
        "g_malloc", "g_malloc0", "g_malloc0_n", "g_try_malloc", "g_realloc", "g_slice_alloc",
        "g_slice_alloc0", "g_strdup", "g_strdup_vprintf", "g_strndup", "g_memdup2",
        "g_array_append_vals", "av_malloc", "av_mallocz", "av_calloc", "av_realloc_array",
        "av_strdup", "av_malloc_array", "sk_malloc_flags(unsigned long, unsigned int)",
        "sk_realloc_throw(void*, unsigned long)", "CRYPTO_malloc", "CRYPTO_zalloc", "CRYPTO_strdup",
        "OPENSSL_sk_new_reserve", "BUF_MEM_grow", "xmlMalloc", "xmlMallocAtomicLoc", "xmlStrdup",
        "xmlStrndup", "xmlBufGrowInternal", "sqlite3MallocZero", "sqlite3DbMallocRawNN",
        "sqlite3_malloc64", "sqlite3DbStrNDup", "ngx_alloc", "ngx_palloc", "ngx_pcalloc",
        "apr_palloc", "apr_pstrdup", "png_malloc", "curl_dostrdup", "Curl_strdup", "_emalloc",
        "_emalloc_large", "_erealloc2", "_safe_emalloc", "_estrndup", "zend_string_alloc",
        "zend_hash_resize", "__zend_malloc", "PyMem_Malloc", "PyMem_RawRealloc",
        "_PyMem_DebugRawAlloc", "PyObject_Malloc", "_PyObject_GC_NewVar", "PyList_New",
        "PyUnicode_New", "lua_malloc",
        "QArrayData::allocate(unsigned long, unsigned long, unsigned long)",
        "QString::reallocData(long long, QArrayData::AllocationOption)",
        "QListData::detach_grow(int*, int)",
        // C++
        "std::vector<int, std::allocator<int> >::push_back(int const&)",
        "void std::vector<App::Row>::_M_realloc_insert<App::Row>(App::Row&&)",
        "std::__cxx11::basic_string<char>::_M_create(unsigned long&, unsigned long)",
        "std::make_unique<App::Session>()",
        "__gnu_cxx::new_allocator<int>::allocate(unsigned long)",
        "boost::container::vector<int>::push_back(int const&)",
        "boost::unordered::detail::table<int>::rehash_impl(unsigned long)",
        "absl::container_internal::raw_hash_set<int>::resize(unsigned long)",
        "folly::fbstring_core<char>::initMedium(char const*, unsigned long)",
        "app::Arena::Allocate(unsigned long)", "leveldb::Arena::AllocateAligned(unsigned long)",
        "MemoryPool::alloc()", "app::util::xmalloc(unsigned long)", "app::xstrdup(char const*)",
        "mylib::alloc::allocate(unsigned long)", "mylib::alloc::operator new(unsigned long)",
        "app::Session::operator new(unsigned long)", "app::Session::operator new[](unsigned long)",
        "base::Allocate(unsigned long)", "app::(anonymous namespace)::xmalloc(unsigned long)",
        "app::detail::alloc_or_die(int)", "app::mem::alloc(unsigned long)",
        "decltype (::new ((void*)(0)) App::Row((declval<int>)())) std::construct_at<App::Row, "
        "int>(App::Row*, int&&)",
        // libc's own, linked in or written into the program by its headers
        "getline", "getdelim", "__getdelim", "strdup", "asprintf", "vasprintf", "open_memstream",
        "realpath", "scandir", "fopen", "fopen64", "getaddrinfo", "opendir", "_IO_file_doallocate",
        // Rust, Go
        "alloc::vec::Vec<T,A>::push", "alloc::raw_vec::RawVec<T,A>::reserve::do_reserve_and_handle",
        "<alloc::vec::Vec<T,A> as core::clone::Clone>::clone", "__rust_alloc", "__rdl_alloc_zeroed",
        "hashbrown::raw::RawTable<T,A>::reserve_rehash", "_cgo_6d3a9b_Cfunc__Cmalloc",
        "runtime.cgocall"));

INSTANTIATE_TEST_SUITE_P(
    All, IsNoWrapper,
    testing::Values("open_session", "pool_alloc_session", "alloc_session", "session_alloc",
                    "Session::allocate()", "Session::alloc(int)", "allocate_connection",
                    "alloc_pool", "alloc_arena", "create_pool", "leak_alloc_buffer", "strdup_leak",
                    "malloc_leak", "malloc_session", "realloc_table", "grow_pool", "dealloc_all",
                    "preallocate_rows", "allocations_report", "handle_malloc_failure",
                    "remember_malloc_of", "load_table", "main", "", "x", "new_node", "node_new",
                    "stdin_reader", "stdx::Cache::put(int)", "boosted::Tree::grow()",
                    "QtishWidget::paint()", "app::std_cache::put()",
                    "<app::Session as app::Open>::open", "corelib::load", "my_session",
                    "app::Session::create(int)", "app::Session::allocate()", "app::util::load()",
                    "app::util::alloc_session()", "base::AllocateSession()", "getline_of_user",
                    "app::Session::getline()", "decltype_of(int)", "app::Cache::session_malloc()",
                    "app::Parser::parse(std::string const&)", "calloced", "unallocated_space"));

// Nothing but the name speaks for them; a leak's own function may be called so.
INSTANTIATE_TEST_SUITE_P(All, DependsOnItsCallers,
                         testing::Values("session_malloc", "leak_malloc", "leaky_strdup",
                                         "cache_realloc", "node_calloc_n", "session::alloc(int)",
                                         "app::cache::session_malloc(int)",
                                         "app::Buffer::realloc(unsigned long)"));

TEST(Matches, StarsStandForAnyText) {
  EXPECT_TRUE(matches("libc.so.6", "libc.so*"));
  EXPECT_TRUE(matches("xmlMemStrdupLoc", "xmlMem*dup*"));
  EXPECT_TRUE(matches("abc", "*"));
  EXPECT_TRUE(matches("", "*"));
  EXPECT_TRUE(matches("aXbXc", "a*b*c"));
  EXPECT_FALSE(matches("aXc", "a*b*c"));
  EXPECT_FALSE(matches("abcd", "a*b*c"));
  EXPECT_FALSE(matches("libcx", "libc.so*"));
}

TEST(LibraryFrame, FramesOfScriptsAreNeverOne) {
  model::ReportFrame script = frame("alloc", "cache.php", 3, "php");
  EXPECT_TRUE(is_library_frame(frame("alloc", "cache.c", 3)));
  script.language = model::Language::kPhp;
  EXPECT_FALSE(is_library_frame(script));
}

TEST(LibraryFrame, LibrariesThatServeTheirCallersAre) {
  for (const char* module :
       {"/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/libxml2.so.2", "/usr/lib/libQt5Core.so.5",
        "/usr/lib/libglib-2.0.so.0", "/usr/lib/libboost_json.so.1.74.0"}) {
    EXPECT_TRUE(is_library_frame(frame("anything", nullptr, 0, module))) << module;
  }
  EXPECT_FALSE(is_library_frame(frame("anything", nullptr, 0, "/opt/app/libsession.so")));
  EXPECT_FALSE(is_library_frame(frame("anything", nullptr, 0, "/opt/app/libcrunch.so")));
}

}  // namespace
}  // namespace seep::report
