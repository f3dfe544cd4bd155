#!/usr/bin/env python3
"""What every command prints: it is out or exit code 1 says so; the help of groups of commands; completion."""
import os
import re
import shutil
import subprocess
import unittest

import program
from program import Case

PRINTERS = ("help", "--help", "--man", "--completion bash", "--version", "help data", "help forecast train", "eis train --help", "data --help",
            "data list", "data list --json", "forecast train --preset list", "forecast train --compat list", "machine", "machine --json")


class Output(Case):
    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full here")
    def test_full_disk(self):
        for words in PRINTERS:
            with self.subTest(words), open("/dev/full", "w") as full:
                done = subprocess.run([program.PROGRAM, *words.split()], stdout=full, stderr=subprocess.PIPE, text=True, env=program.environment())
                self.assertEqual(done.returncode, 1)
                self.assertIn("cannot write to standard output", done.stderr)

    def test_closed(self):
        for words in PRINTERS:
            with self.subTest(words):
                done = subprocess.run(["sh", "-c", f'exec "$0" {words} >&-', program.PROGRAM], stderr=subprocess.PIPE, text=True, env=program.environment())
                self.assertEqual(done.returncode, 1)
                self.assertIn("cannot write to standard output", done.stderr)


class Formulas(Case):
    def test_a_name_that_spreadsheets_would_run(self):
        """It is warned of, once and by name, and comes back as it is."""
        run, name = self.folder / "run", "=HYPERLINK(0)"
        data = program.write_series(self.folder / "s.csv", columns=("load", name, "@x"))
        said = self.code(0, "forecast", "train", "--data", data, "--out", run, *program.SMALL, "--no-plots").stderr
        self.assertEqual(said.count("formula"), 1)
        self.assertIn(name, said)
        done = self.code(0, "forecast", "predict", run, "--data", data, "--no-plots")
        self.assertIn(name, done.stdout.splitlines()[0].split(","))
        self.assertIn("formula", done.stderr)
        plain = program.write_series(self.folder / "p.csv")
        self.assertNotIn("formula", self.code(0, "forecast", "train", "--data", plain, "--out", self.folder / "other", *program.SMALL, "--no-plots").stderr)


def commands(case):
    return re.findall(r"(?m)^  tidemill ([a-z]+(?: [a-z]+)?)  +", case.code(0, "help").stdout.replace("tidemill help COMMAND", ""))


class Groups(Case):
    def test_a_group_has_help(self):
        for words in ("help data", "data --help", "data -h", "data help"):
            told = self.code(0, *words.split()).stdout
            for name in ("list", "get", "make"):
                self.assertIn(f"tidemill data {name}", told)
        self.assertIn("data make", self.code(2, "data").stderr)
        for group, names in (("eis", ("complete", "train")), ("forecast", ("train", "predict"))):
            for words in ((group, "help"), ("help", group), (group, "--help")):
                told = self.code(0, *words).stdout
                for name in names:
                    self.assertIn(f"tidemill {group} {name}", told)
        self.assertEqual(self.code(0, "eis", "help", "train").stdout, self.code(0, "eis", "train", "--help").stdout)

    def test_a_word_that_names_no_command(self):
        for words in (("forecast", "machine", "--help"), ("eis", "trian", "--help"), ("help", "forecast", "trian"), ("data", "gte")):
            self.assertIn("there is no command", self.code(2, *words).stderr)
        self.assertIn('did you mean "machine"?', self.code(2, "forecast", "machine", "--help").stderr)
        self.assertIn("tidemill explain", self.code(0, "forecast", "explain", "--help").stdout)
        self.assertIn("tidemill forecast explain", self.code(0, "explain", "--help").stdout)

    @unittest.skipUnless(shutil.which("bash"), "no bash here")
    def test_completion(self):
        script = self.code(0, "--completion", "bash").stdout

        def offered(*words):
            line = " ".join(f"'{w}'" for w in ("tidemill", *words))
            ask = f"{script}\nCOMP_WORDS=({line}); COMP_CWORD={len(words)}; _tidemill; printf '%s\\n' \"${{COMPREPLY[@]}}\""
            said = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True, cwd=self.folder).stdout
            return [line for line in said.split("\n") if line]

        for word in ("forecast", "explain", "eis", "data", "machine", "bench", "selftest", "help"):
            self.assertEqual(offered("").count(word), 1, word)
        self.assertEqual(set(offered("data", "")), {"list", "get", "make"})
        for word in ("complete", "fit", "generate", "train", "evaluate", "full", "simulate", "--mode"):
            self.assertIn(word, offered("eis", ""))
        self.assertIn("predict", offered("forecast", ""))
        self.assertIn("--spectrum", offered("eis", "complete", "--spec"))
        self.assertEqual(offered("forecast", "train", "--device", ""), ["cpu", "ref", "check", "cuda", "opencl", "metal", "auto"])
        self.assertEqual(offered("selftest", "--device", "c"), ["cpu", "check", "cuda"])
        self.assertIn("train", offered("help", "eis", ""))
        self.assertIn("eis", offered("help", "e"))
        self.assertEqual(offered("eis", "train", "--resume", "="), ["no", "auto", "must"])
        self.assertEqual(offered("data", "get", "etth"), ["etth1", "etth2"])
        self.assertIn("etth1-96", offered("forecast", "train", "--preset", "etth1"))
        self.assertEqual(offered("--completion", ""), ["bash", "zsh", "fish"])
        (self.folder / "some folder").mkdir()
        (self.folder / "some.csv").write_text("")
        self.assertEqual(set(offered("forecast", "train", "--data", "som")), {"some folder", "some.csv"})
        self.assertEqual(offered("forecast", "predict", "som"), ["some folder"], "RUN is a folder")
        self.assertEqual(set(offered("eis", "complete", "som")), {"some folder", "some.csv"})
        self.assertEqual(offered("eis", "train", "--out", "some.c"), [])
        self.assertIn("bash, zsh or fish", self.code(2, "--completion", "tcsh").stderr)

    def test_completion_is_whole(self):
        """Each shell's script names every command, and of each every option that its help shows."""
        scripts = {shell: self.code(0, "--completion", shell).stdout for shell in ("bash", "zsh", "fish")}
        for shell, script in scripts.items():
            if shutil.which(shell):
                path = self.folder / f"script.{shell}"
                path.write_text(script)
                self.assertEqual(subprocess.run([shell, "-n", path], capture_output=True, text=True).stderr, "", shell)
        for name in commands(self):
            options = re.findall(r"(?m)^  --([a-z-]+)", self.code(0, *name.split(), "--help").stdout)
            self.assertIn("config", options)
            bash = re.search(rf"(?ms)^    '{name}'\)$(.*?)esac ;;", scripts["bash"]).group(1).split()
            zsh = re.search(rf"(?ms)^    \('{name}'\)\n      _arguments(.*?) ;;$", scripts["zsh"]).group(1)
            fish = re.findall(rf"(?m)^complete -c tidemill -n '__tidemill_is {name}' -l (\S+) ", scripts["fish"])
            self.assertEqual(options, fish)
            self.assertEqual(options, re.findall(r"(?m)^ +'--([a-z-]+)", zsh))
            self.assertLessEqual({"--" + option for option in options}, {word.strip("'").removeprefix("words='") for word in bash})

    @unittest.skipUnless(shutil.which("fish"), "no fish here")
    def test_completion_in_fish(self):
        script = self.folder / "tidemill.fish"
        script.write_text(self.code(0, "--completion", "fish").stdout)

        def offered(line):
            ask = f"source '{script}'; complete -C '{line}'"
            done = subprocess.run(["fish", "--no-config", "-c", ask], capture_output=True, text=True, check=True, env={**os.environ, "HOME": str(self.folder)})
            return [row.split("\t")[0] for row in done.stdout.splitlines()]

        self.assertIn("forecast", offered("tidemill "))
        self.assertEqual(set(offered("tidemill data ")), {"list", "get", "make"})
        self.assertEqual(offered("tidemill forecast train --device "), ["auto", "check", "cpu", "metal", "opencl", "ref"])
        self.assertIn("--spectrum", offered("tidemill eis complete --spec"))
        self.assertIn("--mode", offered("tidemill eis --mo"))

    @unittest.skipUnless(shutil.which("groff"), "no groff here")
    def test_man_pages(self):
        for name in ("", *commands(self)):
            page = self.code(0, "--man", *name.split()).stdout
            done = subprocess.run(["groff", "-man", "-Tutf8", "-ww"], input=page, capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)
            for heading in ("NAME", "SYNOPSIS", "EXAMPLES", "SEE ALSO", "EXIT STATUS"):
                self.assertIn(f".SH {heading}\n", page, name)
            self.assertTrue(page.startswith(".TH " + "\\-".join(["TIDEMILL", *name.upper().split()]) + " 1 "), page[:60])
        self.assertIn(".SH FILES\n", self.code(0, "--man", "forecast", "train").stdout)
        self.assertIn("forecast train", self.code(2, "--man", "forecast", "trian").stderr)


if __name__ == "__main__":
    program.main("test_output")
