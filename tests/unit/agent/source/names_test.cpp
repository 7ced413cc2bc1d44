#include "agent/source/names.h"

#include <doctest/doctest.h>
#include <algorithm>

#include <string_view>
#include <vector>

namespace meldevakt::agent {
namespace {

TEST_CASE("names: rotated siblings") {
  struct Case {
    std::string_view name;
    std::string_view of;
    bool want;
  };
  const std::vector<Case> cases{
      {"app.log.1", "app.log", true},
      {"app.log.12", "app.log", true},
      {"app.log-20230201", "app.log", true},
      {"app.log.2023-02-01", "app.log", true},
      {"app.log.2023-02-01T10_00", "app.log", true},
      {"app.log.old", "app.log", true},
      {"app.log~", "app.log", true},
      {"app.1.log", "app.log", true},
      {"app-20230201.log", "app.log", true},
      {"app_2023-02-01.1.log", "app.log", true},
      {"ERRORLOG.1", "ERRORLOG", true},
      {"app.log", "app.log", false},
      {"app.log", "app.log.1", false},
      {"app-error.log", "app.log", false},
      {"app.log.swp", "app.log", false},
      {"app.log.1.gz", "app.log", false},
      {"application.log", "app.log", false},
      {"app.log1", "app.log", false},
      {"app..log", "app.log", false},
      {"app.log", "", false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CAPTURE(c.of);
    CHECK(is_rotated_sibling(c.name, c.of) == c.want);
  }
}

TEST_CASE("names: rotated_from names exactly what a name is a rotated sibling of") {
  const std::vector<std::string> names{"app.log",
                                       "app.log.1",
                                       "app.log.12",
                                       "app.1.log",
                                       "app-20230201.log",
                                       "app.log.old",
                                       "app.log-20230201",
                                       "app.log.",
                                       "app.log~",
                                       "a.b.c.log.2",
                                       "app_1-2.3.log",
                                       "app.log.2023-02-01",
                                       "app.log.1.bak",
                                       "app",
                                       "app-1",
                                       "1",
                                       ".log",
                                       ".log.1",
                                       "app..1",
                                       "app.log.1x",
                                       "app.x.log",
                                       "app-2023-02-01.log",
                                       "app.2023.1.log",
                                       "app.log.T1",
                                       "a-b_c.d~e.1"};
  for (const std::string& name : names) {
    const std::vector<std::string> of = rotated_from(name);
    for (const std::string& other : names) {
      CAPTURE(name);
      CAPTURE(other);
      const bool named = std::find(of.begin(), of.end(), other) != of.end();
      CHECK(named == is_rotated_sibling(name, other));
    }
  }
}

TEST_CASE("names: a date in a name is masked, with a time after it") {
  struct Case {
    std::string_view name;
    std::string_view want;  // "" = none
  };
  const std::vector<Case> cases{
      {"trace20230201.log", "trace#.log"},
      {"trace-2023-02-01.log", "trace-#.log"},
      {"postgresql-2023-02-01_091422.log", "postgresql-#.log"},
      {"trace.2023_02_01.3.log", "trace.#.log"},
      {"app.log", ""},
      {"worker-123456.log", ""},
      {"worker-99990101.log", ""},
      {"a2023-2-1.log", ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(dated_name_mask(c.name).value_or("") == c.want);
  }
}

TEST_CASE("names: which of two was written first") {
  const std::vector<std::string_view> in_order{"x/a-2023-02-01.log", "x/a-2023-02-02.log",
                                               "x/app.log.10",       "x/app.log.9",
                                               "x/app.log.1",        "x/app.log"};
  for (std::size_t i = 0; i < in_order.size(); ++i) {
    for (std::size_t j = 0; j < in_order.size(); ++j) {
      CAPTURE(in_order[i]);
      CAPTURE(in_order[j]);
      CHECK(older_by_name(in_order[i], in_order[j]) == (i < j));
    }
  }
}

TEST_CASE("names: which log a file is a part of") {
  struct Case {
    std::string_view path;
    std::string_view want;
    std::string_view there;  // one other path that exists
  };
  for (const Case& c :
       std::vector<Case>{{"/l/app.log", "/l/app.log", ""},
                         {"/l/app.log.1", "/l/app.log", ""},
                         {"/l/app.log.12.gz", "/l/app.log", ""},
                         {"/l/app.log-20230201.gz", "/l/app.log", ""},
                         {"/l/Trace.log.2023-05-23", "/l/Trace.log", ""},
                         {"/l/app.LOG.old", "/l/app.LOG", ""},
                         {"/l/app.log.2023-05-23.1", "/l/app.log", ""},
                         {"/l/app.log.1.old", "/l/app.log", ""},
                         {"/l/postgresql-2023-02-01_091422.log", "/l/postgresql-#.log", ""},
                         {"/l/postgresql-2023-02-02_000000.log.zst", "/l/postgresql-#.log", ""},
                         {"/l/app-20230201.log", "/l/app-#.log", ""},
                         {"/l/app-20230201.log", "/l/app.log", "/l/app.log"},
                         // A node's number or a rotation's?
                         {"/l/app-1.log", "/l/app-1.log", ""},
                         {"/l/app-1.log", "/l/app.log", "/l/app.log"},
                         {"/l/app.1.log", "/l/app.1.log", "/m/app.log"},
                         {"/l/node1.log", "/l/node1.log", "/l/node.log"},
                         {"/l/node-1.log.3", "/l/node-1.log", "/l/node-2.log"},
                         {"/l/ERRORLOG.1", "/l/ERRORLOG.1", ""},
                         {"/l/ERRORLOG.1", "/l/ERRORLOG", "/l/ERRORLOG"},
                         {"/n1/app.log", "/n1/app.log", "/n2/app.log"},
                         {"app.log.1", "app.log", ""}}) {
    CAPTURE(c.path);
    CAPTURE(c.there);
    CHECK(log_of_path(c.path, [&](const std::string& path) { return path == c.there; }) == c.want);
  }
}

TEST_CASE("names: compressed files") {
  CHECK(is_compressed_name("app.log.1.GZ"));
  CHECK(is_compressed_name("a.zip"));
  CHECK_FALSE(is_compressed_name("app.log.1"));
  CHECK_FALSE(is_compressed_name(".gz"));
}

}  // namespace
}  // namespace meldevakt::agent
