#!/usr/bin/env python3
"""The build refuses upward arrows and effects in the core: each refusal is provoked and must come.

    rings_test.py SOURCE_ROOT
"""
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path.insert(0, str(ROOT / "scripts"))
import check_rings  # noqa: E402

LIBRARIES = {
    "common_base": (0, "common/base", []),
    "agent_frame": (2, "agent/frame", ["common_base"]),
    "agent_source": (3, "agent/source", ["agent_frame", "common_base"]),
    "collector_admit": (2, "collector/admit", ["common_base"]),
}


def problems_of(path, text):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for _, library_folder, _ in LIBRARIES.values():
            (root / library_folder).mkdir(parents=True)
        (root / path).write_text(text)
        return check_rings.check(root, LIBRARIES)


class Includes(unittest.TestCase):
    CASES = [
        ("a header of its own folder", "agent/frame/a.cpp", '#include "agent/frame/a.h"', 0),
        ("a header further down", "agent/source/a.cpp", '#include "common/base/a.h"', 0),
        ("upwards", "agent/frame/a.cpp", '#include "agent/source/a.h"', 1),
        ("sideways to the collector", "agent/frame/a.cpp", '#include "collector/admit/a.h"', 1),
        ("a thread in the core", "agent/frame/a.cpp", "#include <thread>", 1),
        ("a thread at the edge", "agent/source/a.cpp", "#include <thread>", 0),
        ("a clock in the core", "agent/frame/a.cpp", "auto t = std::chrono::system_clock::now();", 1),
        ("a clock named in a comment", "agent/frame/a.cpp", "// never system_clock::now()", 0),
        ("SQLite in the core", "collector/admit/a.cpp", "#include <sqlite3.h>", 1),
        ("OpenSSL in the core", "common/base/a.h", "#include <openssl/evp.h>", 1),
        ("Poco in the core", "agent/frame/a.h", "#include <Poco/Net/Socket.h>", 1),
        ("Boost in the core", "agent/frame/a.h", "#include <boost/asio.hpp>", 1),
        ("Poco in quotes", "agent/frame/a.h", '#include "Poco/Net/Socket.h"', 1),
        ("the C library's clock", "agent/frame/a.cpp", "auto t = time(nullptr);", 1),
        ("the C library's clock by its full name", "agent/frame/a.cpp", "auto t = std::time(nullptr);", 1),
        ("a time that is a member", "agent/frame/a.cpp", "auto t = step.time();", 0),
        ("the C library's header", "agent/frame/a.cpp", "#include <ctime>", 1),
        ("chance in the core", "agent/frame/a.cpp", "int n = rand();", 1),
        ("waiting in the core", "agent/frame/a.cpp", "#include <poll.h>", 1),
        ("the environment in the core", "agent/frame/a.cpp", 'auto* home = std::getenv("HOME");', 1),
    ]

    def test_table(self):
        for name, path, text, expected in self.CASES:
            with self.subTest(name):
                self.assertEqual(len(problems_of(path, text + "\n")), expected)

    def test_a_folder_without_a_library_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "agent/forgotten").mkdir(parents=True)
            (root / "agent/forgotten/a.cpp").write_text("int a;\n")
            self.assertEqual(len(check_rings.check_every_folder_is_listed(root, LIBRARIES)), 1)


class Configuration(unittest.TestCase):
    """A CMake project of two libraries; the arrow between them decides whether it configures."""

    def configure(self, upper_ring, lower, lower_ring, upper):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name in (upper, lower):
                (root / name).mkdir()
                (root / name / "a.h").write_text("#pragma once\n")
            (root / "CMakeLists.txt").write_text(f"""
cmake_minimum_required(VERSION 3.25)
project(rings LANGUAGES CXX)
include({ROOT}/scripts/cmake/MeldevaktTargets.cmake)
meldevakt_library({lower} RING {lower_ring} HEADERS {lower}/a.h)
meldevakt_library({upper} RING {upper_ring} HEADERS {upper}/a.h DEPS {lower})
""")
            return subprocess.run(["cmake", "-S", folder, "-B", folder + "/build"],
                                  capture_output=True, text=True)

    def test_arrows(self):
        for name, arguments, refused in [
            ("down", (3, "common_b", 0, "agent_a"), False),
            ("up", (1, "common_b", 2, "common_a"), True),
            ("same ring, same component", (2, "agent_b", 2, "agent_a"), False),
            ("same ring, other component", (2, "common_b", 2, "agent_a"), True),
            ("agent to collector", (3, "collector_b", 2, "agent_a"), True),
        ]:
            with self.subTest(name):
                run = self.configure(*arguments)
                self.assertEqual(run.returncode != 0, refused, run.stderr)
                if refused:
                    self.assertIn("must not depend on", run.stderr)


class Build(unittest.TestCase):
    """A program is not built without the check, whatever target is asked for."""

    def test_a_program_depends_on_the_check(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "main.cpp").write_text("int main() { return 0; }\n")
            (root / "CMakeLists.txt").write_text(f"""
cmake_minimum_required(VERSION 3.25)
project(rings LANGUAGES CXX)
include({ROOT}/scripts/cmake/MeldevaktTargets.cmake)
add_library(meldevakt_flags INTERFACE)
add_library(common_crypto INTERFACE)
add_custom_target(rings COMMAND ${{CMAKE_COMMAND}} -E false)
meldevakt_program(program SOURCES main.cpp)
""")
            subprocess.run(["cmake", "-S", folder, "-B", folder + "/build"], check=True,
                           capture_output=True)
            run = subprocess.run(["cmake", "--build", folder + "/build", "--target", "program"],
                                 capture_output=True, text=True)
            self.assertNotEqual(run.returncode, 0, run.stdout)

    def test_the_project_has_the_check_before_its_programs(self):
        text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
        self.assertLess(text.index("add_custom_target(rings ALL"), text.index("add_subdirectory("))


if __name__ == "__main__":
    unittest.main()
