#!/usr/bin/env python3
"""Programs that were built with what tests/abi holds still run: tools/abi.py says so of the headers and of the libraries that were built, and
finds what would break them in headers that are changed here.

    test_abi.py SOURCE LIBRARY..."""
import contextlib
import io
import pathlib
import shutil
import sys
import tempfile
import unittest

SOURCE, LIBRARIES = pathlib.Path(sys.argv[1]), sys.argv[2:]
sys.path.insert(0, str(SOURCE / "tools"))
import abi


def said(*words):
    """Exit code and text of abi.py."""
    text = io.StringIO()
    sys.argv = ["abi.py", *words]
    with contextlib.redirect_stdout(text):
        code = abi.main()
    return code, text.getvalue()


class Abi(unittest.TestCase):
    def test_of_this_tree(self):
        code, text = said("check", *LIBRARIES)
        self.assertEqual(code, 0, text)

    def test_changes_are_found(self):
        self.addCleanup(lambda: (setattr(abi, "ROOT", SOURCE), setattr(abi, "HELD", SOURCE / "tests/abi")))
        with tempfile.TemporaryDirectory() as name:
            abi.ROOT = pathlib.Path(name)
            abi.HELD = abi.ROOT / "held"
            header = abi.ROOT / "include/tidemill/core.h"
            header.parent.mkdir(parents=True)
            text = (SOURCE / "include/tidemill/core.h").read_text()
            header.write_text(text)
            self.assertEqual(said("renew")[0], 0)
            end = text.rindex("#ifdef __cplusplus")
            for change, code, words in (
                (lambda t: t, 0, ""),
                (lambda t: t[:end] + "TIDE_API int tide_added(int x);\n" + t[end:], 0, "tide_added"),
                (lambda t: t.replace("TIDE_API const char *tide_version(void);", ""), 1, "tide_version"),
                (lambda t: t.replace("char message[640];", "char message[639];"), 1, "tide_failure"),
                (lambda t: t.replace("TIDE_OK = 0,", "TIDE_OK = 0, TIDE_ENEW,"), 1, "tide_status"),
            ):
                header.write_text(change(text))
                now, told = said("check")
                self.assertEqual((now, words in told), (code, True), told)


if __name__ == "__main__":
    if abi.lacks():
        print("skipped:", abi.lacks())
        sys.exit(77)
    unittest.main(argv=["test_abi", "-q"], verbosity=0)
