#!/usr/bin/env python3
"""Feeds made-up dependency listings and sources to scripts/check-layers, with the project's own table."""
import os
import subprocess
import sys
import tempfile
import unittest

SCRIPT = os.path.join(os.path.dirname(__file__), "..", "..", "..", "scripts", "check-layers")


class CheckLayers(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = os.path.realpath(self.folder.name)

    def tearDown(self):
        self.folder.cleanup()

    def run_check(self, objects, files=None, stale=()):
        """objects: {object: [paths]}; files: {path: text} are written below the root."""
        for path, text in (files or {}).items():
            full = os.path.join(self.root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as out:
                out.write(text)
        listing = os.path.join(self.root, "deps.txt")
        with open(listing, "w", encoding="utf-8") as out:
            for name, paths in objects.items():
                state = "STALE" if name in stale else "VALID"
                out.write(f"{name}: #deps {len(paths)}, deps mtime 1 ({state})\n")
                for path in paths:
                    out.write(f"    {path if path.startswith('/usr') else os.path.join(self.root, path)}\n")
                out.write("\n")
        return subprocess.run([sys.executable, SCRIPT, "--deps", listing, "--root", self.root],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def refused(self, result, *words):
        self.assertEqual(result.returncode, 1, result.stdout)
        for word in words:
            self.assertIn(word, result.stdout)

    def test_allowed(self):
        result = self.run_check({"a.o": ["server/domain/src/case.cpp", "shared/include/gridward/shared/ids.hpp",
                                         "/usr/include/c++/12/string", "/usr/include/stdio.h",
                                         "/usr/include/x86_64-linux-gnu/bits/types.h"]})
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn("1 files", result.stdout)

    def test_library_names_file_line_header_and_rule(self):
        result = self.run_check(
            {"a.o": ["server/domain/src/case.cpp", "/usr/include/nlohmann/detail/x.hpp", "/usr/include/nlohmann/json.hpp"]},
            {"server/domain/src/case.cpp": "#include <string>\n#include <nlohmann/json.hpp>\n"})
        self.refused(result, "server/domain/src/case.cpp:2", "/usr/include/nlohmann/json.hpp", "pure rules")
        self.assertEqual(result.stdout.count("includes"), 1, result.stdout)

    def test_through_another_header(self):
        result = self.run_check(
            {"a.o": ["server/app/src/auth.cpp", "server/domain/include/gridward/domain/x.hpp", "/usr/include/boost/any.hpp"]},
            {"server/app/src/auth.cpp": "#include <gridward/domain/x.hpp>\n",
             "server/domain/include/gridward/domain/x.hpp": "#pragma once\n#include <boost/any.hpp>\n"})
        self.refused(result, "server/app/src/auth.cpp", "through server/domain/include/gridward/domain/x.hpp:2",
                     "/usr/include/boost/any.hpp")

    def test_layer_above(self):
        result = self.run_check({"a.o": ["shared/src/ids.cpp", "server/app/include/gridward/app/store.hpp"]},
                                {"shared/src/ids.cpp": "#include <gridward/app/store.hpp>\n"})
        self.refused(result, "shared/src/ids.cpp:1", "server/app/include/gridward/app/store.hpp")

    def test_simulator_sees_only_the_public_device_header(self):
        fine = self.run_check({"a.o": ["firmware-sim/src/a.cpp", "device/include/gridward/device.h"]})
        self.assertEqual(fine.returncode, 0, fine.stdout)
        inner = self.run_check({"a.o": ["firmware-sim/src/a.cpp", "device/src/gridward_device/outbox.hpp"]})
        self.refused(inner, "firmware-sim/src/a.cpp", "device/src/gridward_device/outbox.hpp")

    def test_device_never_boost_or_opencv(self):
        for header in ("/usr/include/boost/asio.hpp", "/usr/include/opencv4/opencv2/imgproc.hpp"):
            self.refused(self.run_check({"a.o": ["device/src/a.cpp", header]}), "device/src/a.cpp", header)

    def test_what_a_library_brings_is_not_ours_to_include(self):
        objects = {"a.o": ["server/storage/src/a.cpp", "/usr/include/soci/soci.h", "/usr/include/boost/any.hpp"]}
        fine = self.run_check(objects, {"server/storage/src/a.cpp": "#include <soci/soci.h>\n"})
        self.assertEqual(fine.returncode, 0, fine.stdout)
        ours = self.run_check(objects, {"server/storage/src/a.cpp": "#include <soci/soci.h>\n#include <boost/any.hpp>\n"})
        self.refused(ours, "server/storage/src/a.cpp:2", "/usr/include/boost/any.hpp")

    def test_unknown_library(self):
        self.refused(self.run_check({"a.o": ["device/src/a.cpp", "/usr/include/yaml-cpp/yaml.h"]}),
                     "/usr/include/yaml-cpp/yaml.h", "not in the table")

    def test_unknown_layer(self):
        self.refused(self.run_check({"a.o": ["server/extra/a.cpp"]}), "server/extra/a.cpp", "no layer")

    def test_heavy_library_in_a_public_header(self):
        for layer, name, full in (("server/storage", "soci/soci.h", "/usr/include/soci/soci.h"),
                                  ("server/vision", "opencv2/core.hpp", "/usr/include/opencv4/opencv2/core.hpp")):
            header = f"{layer}/include/gridward/x.hpp"
            source = f"{layer}/src/a.cpp"
            result = self.run_check({"a.o": [source, header, full]},
                                    {source: "#include <gridward/x.hpp>\n", header: f"#include <{name}>\n"})
            self.refused(result, f"{header}:1", name, "public header")

    def test_clock_files_and_threads_in_pure_layers(self):
        source = "server/domain/src/a.cpp"
        self.refused(self.run_check({"a.o": [source]}, {source: "#include <thread>\n"}), f"{source}:1", "<thread>")
        self.refused(self.run_check({"a.o": [source]}, {source: "auto t = std::chrono::system_clock::now();\n"}),
                     f"{source}:1")

    def test_nothing_checked_is_a_failure(self):
        self.refused(self.run_check({}), "nothing was proved")
        self.refused(self.run_check({"a.o": ["shared/src/a.cpp"]}, stale=("a.o",)), "nothing was proved")


if __name__ == "__main__":
    unittest.main()
