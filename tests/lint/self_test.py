#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that each lint can fail: every case is a tree with one defect."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).parent
SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
HEADER = SPDX + "#pragma once\n"


def run(lint, files, *arguments):
    """What the lint says of a tree of these files, or None if it is content."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            file = pathlib.Path(root, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            file.chmod(0o755)
        result = subprocess.run(
            [sys.executable, HERE / lint, *(a.format(root=root) for a in arguments or ["{root}"])],
            capture_output=True,
            text=True,
        )
        return result.stdout + result.stderr if result.returncode else None


class Includes(unittest.TestCase):
    def refused(self, files, problem):
        self.assertIn(problem, run("includes.py", files) or "nothing")

    def test_a_good_tree_passes(self):
        files = {
            "src/base/error.h": "",
            "src/base/error.cc": '#include "base/error.h"\n#include <string>\n',
            "src/pickle/graph.h": '#include "base/error.h"\n',
            "src/command/command_line.cc": "#include <CLI/App.hpp>\n",
            "src/report/a_json.cc": "#include <nlohmann/json.hpp>\n",
        }
        self.assertIsNone(run("includes.py", files))

    def test_no_tree_at_all(self):
        self.refused({}, "0 files")

    def test_an_edge_upwards(self):
        files = {"src/base/a.h": '#include "pickle/b.h"\n', "src/pickle/b.h": ""}
        self.refused(files, "base/ may not include pickle/")

    def test_an_edge_sideways(self):
        files = {"src/file/a.h": '#include "pickle/b.h"\n', "src/pickle/b.h": ""}
        self.refused(files, "file/ may not include pickle/")

    def test_a_folder_that_is_not_in_the_table(self):
        self.refused({"src/util/a.h": ""}, "util/ is not in the table")

    def test_a_path_that_is_not_from_the_top(self):
        files = {"src/base/a.h": '#include "b.h"\n', "src/base/b.h": ""}
        self.refused(files, "no path below src/")

    def test_the_precompiled_header(self):
        files = {"src/precompiled.h": "#include <string>\n", "src/base/a.cc": ""}
        self.assertIsNone(run("includes.py", files))
        files["src/base/a.cc"] = '#include "precompiled.h"\n'
        self.refused(files, "no path below src/")

    def test_a_cycle_of_headers(self):
        files = {"src/base/a.h": '#include "base/b.h"\n', "src/base/b.h": '#include "base/a.h"\n'}
        self.refused(files, "a cycle: base/a → base/b → base/a")

    def test_a_cycle_through_a_source_file(self):
        files = {
            "src/base/a.h": "",
            "src/base/a.cc": '#include "base/b.h"\n',
            "src/base/b.h": '#include "base/c.h"\n',
            "src/base/c.h": '#include "base/a.h"\n',
        }
        self.refused(files, "a cycle: base/a → base/b → base/c → base/a")

    def test_heavy_headers(self):
        self.refused({"src/command/ls.cc": "#include <CLI/App.hpp>\n"}, "may not include <CLI/")
        self.refused({"src/report/a.cc": "# include <nlohmann/json.hpp>\n"}, "<nlohmann/")
        self.refused({"src/base/a.cc": "#include <doctest/doctest.h>\n"}, "<doctest/")
        files = {f"src/base/{name}.cc": "#include <iostream>\n" for name in "ab"}
        self.refused(files, "more than 1 file includes <iostream>")


class Form(unittest.TestCase):
    def refused(self, files, problem):
        self.assertIn(problem, run("form.py", files) or "nothing")

    def body(self, text):
        return {"src/pickle/a.cc": SPDX + text}

    def test_a_good_tree_passes(self):
        text = "[[noreturn]] void fail(std::string what,\n          int x) {\n  throw Error(what);\n}\n"
        text += "void f() {  // may throw\n  g();\n  if (!p) throw std::bad_alloc();\n}\n"
        self.assertIsNone(run("form.py", self.body(text)))
        self.assertIsNone(run("form.py", {"src/base/a.cc": SPDX + "void f() {\n  throw 1;\n}\n"}))
        text = "consteval int f() {\n  for (;;) {\n    if (x) throw 1;\n  }\n}\n"
        self.assertIsNone(run("form.py", self.body(text)))

    def test_two_types_of_one_name(self):
        types = {"src/pickle/a.h": HEADER + "struct A {};\n", "src/pickle/b.h": HEADER + "class A {\n};\n"}
        self.refused(types, "src/pickle/b.h: a.h has another type called A")
        types["src/pickle/b.h"] = HEADER + "class A;\n"
        self.assertIsNone(run("form.py", types))

    def test_throw(self):
        problem = "src/pickle/a.cc:3: throw"
        self.refused(self.body("void decode() {\n  throw Error();\n}\n"), problem)
        self.refused(self.body("void decode() {\n  if (short) throw Error();\n}\n"), problem)
        text = "void fail_x();\nvoid f() {\n  if (a) {\n    fail(b);\n    throw Error();\n  }\n}\n"
        self.refused(self.body(text), "src/pickle/a.cc:6: throw")

    def test_length(self):
        self.refused(self.body("\n" * 600), "601 lines")

    def test_licence(self):
        self.refused({"src/base/a.cc": "int x;\n"}, "no SPDX")
        self.refused({"tests/a.py": "x = 1\n"}, "no SPDX")

    def test_white_space(self):
        self.refused(self.body("int x; \n"), "white space at the end")
        self.refused(self.body("int x;"), "no newline at the end")

    def test_invisible_characters(self):
        self.refused(self.body("// \u202e\n"), "an invisible character")

    def test_a_header_without_guard(self):
        self.refused({"src/base/a.h": SPDX}, "no #pragma once")


class Headers(unittest.TestCase):
    def judged(self, header, source=""):
        entry = '[{"file": "src/base/a.cc", "command": "c++ -Isrc -o a.o -c src/base/a.cc"}]'
        files = {"compile_commands.json": entry, "src/base/a.cc": source, "src/base/a.h": header}
        return run("headers.py", files, "{root}", "{root}/src/base")

    def test_a_good_header_passes(self):
        self.assertIsNone(self.judged(HEADER + "#include <string>\nstd::string f();\n"))

    def test_a_header_that_leans_on_another(self):
        self.assertIn("base/a.h does not compile alone", self.judged(HEADER + "std::string f();\n"))

    def test_a_header_that_its_source_begins_with(self):
        leaning = HEADER + "std::string f();\n"
        self.assertIsNone(self.judged(leaning, '#include "base/a.h"\n'))
        self.assertIn("base/a.h does not compile alone",
                      self.judged(leaning, '#include <string>\n#include "base/a.h"\n'))


PTSD = """#!/bin/sh
case "$1" in
  help) printf 'Commands:\\n  ls        list\\n\\nmore\\n' ;;
  ls) printf 'Options:\\n  -l, --long              more\\n      --sort name|size    by\\n      --color auto|always|never\\n' ;;
esac
"""
GOOD = {
    "ptsd": PTSD,
    "man/ptsd-ls.1": ".Fl l , Fl -long\n.Fl -sort\n.Fl -color\n",
    "man/ptsd.1": "ptsd-ls\n",
    "man/meson.build": "'ptsd-ls.1'\n",
    "tests/golden/ls/a.txt": "$ ptsd ls\n",
    "tests/golden/meson.build": "'ls'\n",
    "CHANGELOG.md": "`ptsd ls`\n",
}


class Commands(unittest.TestCase):
    def judged(self, files):
        return run("commands.py", files, "{root}/ptsd", "{root}")

    def refused(self, changes, problem):
        files = {path: text for path, text in {**GOOD, **changes}.items() if text is not None}
        self.assertIn(problem, self.judged(files) or "nothing")

    def test_a_good_tree_passes(self):
        self.assertIsNone(self.judged(GOOD))

    def test_no_command_at_all(self):
        self.refused({"ptsd": "#!/bin/sh\n"}, "no commands")

    def test_man_page(self):
        self.refused({"man/ptsd-ls.1": None}, "ls: man/ptsd-ls.1 is missing")
        self.refused({"man/ptsd-ls.1": ".Fl -long\n"}, "ls: man/ptsd-ls.1 does not mention --sort")
        self.refused({"man/meson.build": ""}, "ls: man/meson.build does not mention")
        self.refused({"man/ptsd.1": ""}, "ls: man/ptsd.1 does not mention")

    def test_goldens(self):
        self.refused({"tests/golden/ls/a.txt": None}, "ls: tests/golden/ls/ has no case")
        self.refused({"tests/golden/meson.build": ""}, "ls: tests/golden/meson.build")

    def test_change_log(self):
        self.refused({"CHANGELOG.md": ""}, "ls: CHANGELOG.md does not mention")

    def test_completions(self):
        text = (HERE.parents[1] / "completions/ptsd.bash").read_text(encoding="utf-8")
        arguments = ["bash", "{root}/ptsd", "{root}"]
        files = {**GOOD, "completions/ptsd.bash": text}
        self.assertIsNone(run("completions.py", files, *arguments))
        files["completions/ptsd.bash"] = text.replace("[a-z-]*", "[a-m-]*")
        self.assertIn("offered", run("completions.py", files, *arguments) or "nothing")


class Man(unittest.TestCase):
    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_a_page_that_is_not_mdoc(self):
        page = ".Dd August 1, 2026\n.Dt X 1\n.Os\n.Sh NAME\n.Nm x\n.Xy\n"
        self.assertIn("Xy", run("man.py", {"man/x.1": page}) or "nothing")


class Golden(unittest.TestCase):
    def judged(self, case):
        files = {"ptsd": "#!/bin/sh\necho a; echo b >&2; exit 3\n", "cases/a.txt": case}
        return run("../golden/run.py", files, "{root}/ptsd", "{root}", "{root}/cases")

    def test_a_good_case_passes(self):
        self.assertIsNone(self.judged("$ ptsd\na\n--- stderr\nb\n--- exit 3\n"))

    def test_any_difference_fails(self):
        self.assertIn("-c", self.judged("$ ptsd\nc\n--- stderr\nb\n--- exit 3\n"))
        self.assertIn("+--- stderr", self.judged("$ ptsd\na\n--- exit 3\n"))
        self.assertIn("+--- exit 3", self.judged("$ ptsd\na\n--- stderr\nb\n--- exit 2\n"))

    def test_a_case_without_a_command_fails(self):
        self.assertIn("no command", self.judged("# nothing\n"))

    def test_the_readme(self):
        for text, good in [("$ ptsd\na\nb\n", True), ("$ ptsd\nc\nb\n", False), ("", False)]:
            files = {
                "ptsd": "#!/bin/sh\necho a; echo b >&2\n",
                "README.md": f"# x\n\n```console\n{text}```\n" if text else "# x\n",
            }
            said = run("../golden/readme.py", files, "{root}/ptsd", "{root}", "{root}/README.md")
            self.assertEqual(said is None, good, said)


if __name__ == "__main__":
    unittest.main()
