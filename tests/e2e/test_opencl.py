#!/usr/bin/env python3
"""--device opencl where there is no library, no such device, or a library that is none: exit code 4 and one line."""
import os

import program
from program import Case, SMALL

FAKE = os.environ["FAKE_OPENCL"]


class OpenCL(Case):
    def refused(self, device, said, **env):
        series = program.write_series(self.folder / "series.csv")
        words = ["forecast", "train", "--data", series, "--out", self.folder / "run", *SMALL, "--device", device]
        done = self.code(4, *words, env=env)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(f"there is no device {device if ':' in device else device + ':0'}; ", done.stderr)
        self.assertIn(said, done.stderr)
        self.assertFalse((self.folder / "run").exists())
        self.assertIn(said, self.error(4, *words, env=env)["message"])

    def test_no_library(self):
        self.refused("opencl", "OpenCL's library is not here: TIDEMILL_OPENCL is none", TIDEMILL_OPENCL="none")
        self.refused("opencl", "absent.so", TIDEMILL_OPENCL=self.folder / "absent.so")
        text = self.folder / "text.so"
        text.write_text("no library")
        self.refused("opencl:1", "text.so", TIDEMILL_OPENCL=text)

    def test_other_library(self):
        stub = os.environ["ONEDNN_STUB"]
        self.refused("opencl", f"{stub} has no clGetPlatformIDs", TIDEMILL_OPENCL=stub)

    def test_no_device(self):
        env = {"TIDEMILL_OPENCL": FAKE}
        self.refused("opencl:9", "there are opencl:0 (fake 17)", **env)
        self.refused("opencl", "OpenCL has 1 platform(s) and no device", FAKE_OPENCL_DEVICES=0, **env)
        self.refused("opencl", "OpenCL's library knows of no platform", FAKE_OPENCL_PLATFORMS=0, **env)

    def test_machine(self):
        absent = self.code(0, "machine", env={"TIDEMILL_OPENCL": "none"}).stdout
        self.assertRegex(absent, r"\n  opencl +not there: there is no device opencl:0; .*TIDEMILL_OPENCL is none\n")
        two = self.code(0, "machine", env={"TIDEMILL_OPENCL": FAKE, "FAKE_OPENCL_DEVICES": 2}).stdout
        self.assertRegex(two, r"\n  opencl +fake 18, 1.0 GiB of its own\n  opencl:1 +fake 17, 1.0 GiB of its own\n")

    def test_lost_device(self):
        """Whatever call is the first to fail: code 4, the device's own words, and a run folder that can be resumed."""
        series = program.write_series(self.folder / "series.csv")
        words = ["forecast", "train", "--data", series, "--out", self.folder / "run", *SMALL, "--device", "opencl"]
        here = {"TIDEMILL_OPENCL": FAKE, "XDG_CACHE_HOME": self.folder}
        for function in ("Finish", "EnqueueReadBuffer", "EnqueueNDRangeKernel"):
            lost = 0
            for at in (*range(60, 500, 23), 2500, 5000):
                env = {**here, "FAKE_OPENCL_FAULT": f"{function} {at} 1000000 -5"}
                done = program.run(*words, "--overwrite", env=env)
                if done.returncode == 0:
                    continue
                lost += 1
                with self.subTest(function=function, at=at):
                    self.assertEqual(done.returncode, 4, done.stderr)
                    self.assertRegex(done.stderr, r"tidemill: opencl:0: .* failed: CL_OUT_OF_RESOURCES")
            self.assertGreater(lost, 3, function)
        self.code(0, *words, "--resume", "auto", env=here)

    def test_lost_while_explaining(self):
        series = program.write_series(self.folder / "series.csv")
        here = {"TIDEMILL_OPENCL": FAKE, "XDG_CACHE_HOME": self.folder}
        words = ["--data", series, *SMALL, "--device", "opencl"]
        self.code(0, "forecast", "train", *words, "--out", self.folder / "run", env=here)
        for at in range(0, 80, 4):
            env = {**here, "FAKE_OPENCL_FAULT": f"EnqueueReadBuffer {at} 1000000 -5"}
            done = program.run("explain", self.folder / "run", "--device", "opencl", env=env)
            if done.returncode:
                self.assertEqual(done.returncode, 4, done.stderr)
                self.assertIn("bytes from the device failed: CL_OUT_OF_RESOURCES", done.stderr)

    def test_wrong_number(self):
        for device in ("opencl:", "opencl:x", "opencl:-1", "opencl:99999"):
            with self.subTest(device):
                self.assertIn("a number from 0 to 9999", self.error(4, "selftest", "--device", device)["message"])


if __name__ == "__main__":
    program.main("test_opencl")
