#!/usr/bin/env python3
"""Who multiplies: oneDNN where it is found when the program runs, else others, and what `tidemill machine` says of it."""
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import program  # noqa: E402
from program import Case, SMALL  # noqa: E402

STUB = os.environ["ONEDNN_STUB"]
LARGE = ["--d-model", "128", "--d-ff", "256", "--batch-size", "64", "--epochs", "1", "--no-plots"]  # products for a library


class Products(Case):
    def products(self, **env):
        return {one["name"]: one for one in json.loads(self.code(0, "machine", "--json", env=env).stdout)["products"]}

    def why(self, **env):
        """Why oneDNN is not used; the page says the same."""
        one = self.products(**env)["oneDNN"]
        self.assertFalse(one["used"])
        self.assertIn(f"no oneDNN: {one['why']}", self.code(0, "machine", env=env).stdout)
        return one["why"]

    def skip_if_left_out(self):
        if "leaves it out" in (self.products()["oneDNN"]["why"] or ""):
            self.skipTest("this build leaves oneDNN out")

    def train(self, code=0, **env):
        series = program.write_series(self.folder / "series.csv")
        words = ["forecast", "train", "--data", series, "--out", self.folder / "run", *SMALL, *LARGE]
        return self.code(0, *words, env=env) if code == 0 else self.error(code, *words, env=env)

    def test_as_it_is(self):
        all = self.products()
        self.assertEqual(list(all)[-1], "own kernels")
        self.assertTrue(all["own kernels"]["used"])
        one = all["oneDNN"]
        self.assertEqual(one["used"], one["why"] is None)
        if one["used"]:
            self.assertRegex(one["version"], r"^[23]\.\d+\.\d+$")
            self.assertTrue(pathlib.Path(one["path"]).exists(), one["path"])
            self.assertIn(f"oneDNN {one['version']} ({one['path']})", self.code(0, "machine").stdout)
            self.assertEqual(self.products(TIDEMILL_ONEDNN=one["path"])["oneDNN"], one, "named as it was found")

    def test_none(self):
        self.skip_if_left_out()
        env = {"TIDEMILL_ONEDNN": "none"}
        self.assertEqual(self.why(**env), "TIDEMILL_ONEDNN is none")
        self.train(**env)
        self.assertTrue(self.code(0, "forecast", "predict", self.folder / "run", env=env).stdout)

    def test_others_are_refused(self):
        self.skip_if_left_out()
        text = self.folder / "text.so"
        text.write_text("no library")
        for env, said in (
            ({"TIDEMILL_ONEDNN": self.folder / "absent.so"}, "absent.so"),
            ({"TIDEMILL_ONEDNN": text}, "text.so"),
            ({"TIDEMILL_ONEDNN": STUB, "STUB_MAJOR": 4}, "is oneDNN 4.1.0; versions 2 and 3 are known"),
            ({"TIDEMILL_ONEDNN": STUB, "STUB_MAJOR": 1}, "is oneDNN 1.1.0; versions 2 and 3 are known"),
            ({"TIDEMILL_ONEDNN": STUB, "STUB_MAJOR": 2}, "has no dnnl_memory_desc_init_by_strides"),
            ({"TIDEMILL_ONEDNN": STUB, "STUB_RUNTIME": 512}, "is oneDNN 3.1.0 for SYCL"),
        ):
            with self.subTest(said):
                self.assertIn(said, self.why(**env))
                message = self.train(4, **env)["message"]
                self.assertIn("TIDEMILL_ONEDNN cannot be used: ", message)
                self.assertIn(said, message)

    def test_one_that_fails(self):
        """A version 3 whose every call fails: an error that says so, no crash."""
        self.skip_if_left_out()
        env = {"TIDEMILL_ONEDNN": STUB}
        self.assertEqual(self.products(**env)["oneDNN"]["version"], "3.1.0")
        self.assertIn("oneDNN could not prepare a matrix product", self.train(4, **env)["message"])


if __name__ == "__main__":
    program.main("test_products")
