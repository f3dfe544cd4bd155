#!/usr/bin/env python3
"""The report of tools/prove-metal: of made-up results, and of the real program in a few seconds."""
import importlib.util
import pathlib
import subprocess
import sys
from importlib.machinery import SourceFileLoader

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
sys.dont_write_bytecode = True
import program  # noqa: E402
from program import Case  # noqa: E402

loader = SourceFileLoader("prove_metal", str(ROOT / "tools/prove-metal"))
prove = importlib.util.module_from_spec(importlib.util.spec_from_loader("prove_metal", loader))
loader.exec_module(prove)


def device(name, step_ms, **more):
    eis = {"step_ms": step_ms, "inference_one": {"p50_time_ms": 2.0}, "memory": {"total_used_mb": 3000.0}}
    return {"device": name, "selftest": {"passed": 9, "failed": 0, "golden_files": 5}, "failures": {},
            "cases": {"eis512": eis, "matmul4096": {"step_ms": 3.8}}, **more}


def found(*devices, **more):
    machine = {"machine": {"model": "Apple M2 Max"}, "products": []}
    return {"machine": machine, "failure": None, "quick": False, "devices": list(devices), "python": (prove.MET, "242 passed"), "wheel": (prove.UNKNOWN, prove.NO_WHEEL),
            "peers": {"MLX": (3.9, None), "PyTorch MPS": (None, "no torch")}, **more}


class Report(Case):
    def report(self, *devices, **more):
        return prove.report(found(*devices, **more), "abc123", "macOS 14.5", "today")

    def test_verdicts(self):
        text = self.report(device("cpu", 60.0), device("metal", 68.0))
        for line in ("| product of 4096 x 4096 | 3.8 ms | cpu | 3.8 ms | met |",
                     "| product of 4096 x 4096 | 3.8 ms | MLX | 3.9 ms | missed |",
                     "| product of 4096 x 4096 | 3.8 ms | PyTorch MPS |  | cannot say |",
                     "| training step, batch 512 | 67 ms | cpu | 60 ms | met |",
                     "| training step, batch 512 | 67 ms | metal | 68 ms | missed |",
                     "| one completion | 2.1 ms | metal | 2 ms | met |",
                     "| peak memory, batch 512 | 2.8 GB | metal | 3 GB | missed |",
                     "**METAL IS SLOWER THAN CPU ON EIS512: 68 MS, CPU 60 MS**",
                     "- Apple M2 Max, macOS 14.5", "- today, commit abc123", "- PyTorch MPS: no torch", "No failures."):
            self.assertIn(line, text)
        self.assertNotIn("not the guide's", text)
        self.assertNotIn("SLOWER", self.report(device("cpu", 60.0), device("metal", 59.0)))

    def test_what_is_not_there(self):
        text = self.report(device("cpu", 60.0), {"device": "metal", "absent": "no GPU of Apple here", "failures": {}, "cases": {}})
        self.assertIn("| metal | cannot say | no GPU of Apple here |", text)
        self.assertIn("| training step, batch 512 | 67 ms | metal |  | cannot say |", text)

    def test_failures(self):
        bad = device("metal", 1.0, failures={"m1": "kernel text"}, selftest={"passed": 8, "failed": 1, "golden_files": 5})
        text = self.report(device("cpu", 60.0), bad)
        self.assertIn("### metal, m1\n\n```\nkernel text\n```", text)
        self.assertIn("| metal | missed | 8 passed, 1 failed, 5 golden files |", text)
        self.assertIn("no compiler", self.report(device("cpu", 60.0), failure="no compiler"))

    def test_python(self):
        text = self.report(device("cpu", 60.0))
        self.assertIn("## The Python package\n\n- built here: met: 242 passed\n- as a wheel: cannot say: none was named", text)
        self.assertIn("built here: missed: \n```\nno compiler\n```", self.report(device("cpu", 60.0), python=(prove.MISSED, "no compiler")))
        self.assertIn("as a wheel: missed: \n```\nbad tag\n```", self.report(device("cpu", 60.0), wheel=(prove.MISSED, "bad tag")))

    def test_wheel(self):
        """It is the wheel that is installed, and what came of it that is told; one that is not there is a slip."""
        asked, plain = [], prove.call
        for code, verdict in ((0, prove.MET), (1, prove.MISSED), (77, prove.UNKNOWN)):
            prove.call = lambda words, code=code: asked.append(words) or (code, "first\n242 passed\n", "")
            try:
                how, said = prove.python_package(pathlib.Path("some.whl"))
            finally:
                prove.call = plain
            self.assertEqual((how, said.splitlines()[-1], asked[-1][-1].name), (verdict, "242 passed", "some.whl"))
        done = self.prove("--wheel", self.folder / "absent.whl")
        self.assertEqual(done.returncode, 2)
        self.assertIn("absent.whl is no file", done.stderr)

    def prove(self, *words):
        command = [sys.executable, ROOT / "tools/prove-metal", "--quick", "--program", program.PROGRAM, *words]
        return subprocess.run([str(w) for w in command], capture_output=True, text=True, cwd=self.folder)

    def test_real(self):
        done = self.prove()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        text = (self.folder / "prove-metal.md").read_text()
        self.assertIn(text, done.stdout)
        self.assertRegex(text, r"\| cpu \| met \| \d+ passed, 0 failed, 5 golden files \|")
        self.assertRegex(text, r"\| training step, batch 512 \| 67 ms \| cpu \| \S+ ms \| (met|missed) \|")
        self.assertEqual("not a Mac: the rows of the guide are only for comparison" in text, sys.platform != "darwin")
        again = self.prove()
        self.assertEqual(again.returncode, 2)
        self.assertIn("prove-metal.md cannot be written: File exists", again.stderr)
        self.assertEqual((self.folder / "prove-metal.md").read_text(), text)

    def test_program_that_is_not_there(self):
        done = self.prove("--program", self.folder / "absent")
        self.assertEqual(done.returncode, 1)
        self.assertIn("absent", done.stdout)


if __name__ == "__main__":
    program.main("test_prove_metal")
