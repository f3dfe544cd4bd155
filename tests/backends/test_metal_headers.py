#!/usr/bin/env python3
"""What src/backends/metal/metal.h says of Apple's Metal, beside Apple's own metal-cpp headers: every message is looked up by class and
selector, what it takes and returns compared; so are the structure, the functions of Metal and the values of enumerations.

The headers are in PyPI's wheel of mlx-metal, which is for macOS, and kept in the build folder. Skipped (77) where it cannot be
had."""
import pathlib
import re
import subprocess
import sys
import unittest
import venv
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
WHEEL = "mlx-metal==0.32.4"
TABLE = (ROOT / "src/backends/metal/metal.h").read_text()
# Of the runtime, not of Metal: they are in no header of metal-cpp.
RUNTIME = {"sel_registerName", "objc_getClass", "objc_autoreleasePoolPush", "objc_autoreleasePoolPop"}
# metal-cpp makes strings with an encoding too, but some classes take messages by templates of their base class.
BASES = {"NSObject": ("Object", "Referencing")}
VALUES = {
    "METAL_STORAGE_SHARED": "ResourceStorageModeShared", "METAL_UTF8": "UTF8StringEncoding",
    "METAL_COMPLETED": "CommandBufferStatusCompleted", "METAL_ERROR": "CommandBufferStatusError",
    "METAL_LANGUAGE_3_0": "LanguageVersion3_0", "METAL_LANGUAGE_3_2": "LanguageVersion3_2",
    "METAL_MATH_SAFE": "MathModeSafe", "METAL_FUNCTIONS_PRECISE": "MathFloatingPointFunctionsPrecise",
}
OURS = {"metal_id": "object", "metal_id *": "object *", "metal_sel": "selector", "metal_size": "Size", "uint64_t": "u64", "int64_t": "i64"}
THEIRS = {"UInteger": "u64", "Integer": "i64", "uint64_t": "u64", "int64_t": "i64", "SEL": "selector", "CFTimeInterval": "double"}


def headers(build):
    """The text of all headers; None, and why."""
    home = build / "metal-cpp"
    wheels = list(home.glob("*.whl"))
    if not wheels:
        python = home / "venv/bin/python3"
        try:
            venv.create(home / "venv", with_pip=True)
            subprocess.run([python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:",
                            "--platform", "macosx_14_0_arm64", "--dest", home, WHEEL], check=True, capture_output=True, timeout=600)
        except (OSError, subprocess.SubprocessError) as error:
            return None, f"{WHEEL} cannot be had: {error}"
        wheels = list(home.glob("*.whl"))
    with zipfile.ZipFile(wheels[0]) as wheel:
        names = [n for n in wheel.namelist() if re.search(r"/metal_cpp/(Metal|Foundation)/[^/]*\.hpp$", n)]
        return "\n".join(wheel.read(n).decode() for n in sorted(names)), None


# ---- ours ----

def joined(name):
    """The lines of a macro of metal.h as one."""
    return re.search(rf"#define {name}\(F\)((?:.*\\\n)*.*)\n", TABLE).group(1).replace("\\\n", " ")


def without_name(argument):
    """A parameter's type."""
    argument = argument.strip()
    named = re.fullmatch(r"(.*?[\s*])(\w+)", argument)
    bare = named.group(1).strip() if named and named.group(1).strip() not in ("const", "") else argument
    return re.sub(r"\s*\*", " *", bare)


def our_type(words):
    return OURS.get(words, words)


def our_messages():
    """(class, selector, what it returns, what it takes) of both tables."""
    found = []
    for name in ("METAL_MESSAGES", "METAL_STRUCTURES"):
        text = joined(name)
        rows = re.findall(r'F\((\w+), ([\w *]+?), (\w+), "([\w:]+)",\s*\(METAL_TO(?:, )?([^()]*)\)\)', text)
        assert len(rows) == text.count("F("), f"{name}: a row that is not understood"
        for of, returns, _, selector, takes in rows:
            types = [our_type(without_name(t)) for t in takes.split(",") if t.strip()]
            found.append((of, selector, our_type(returns.strip()), types))
    return found


def our_value(name):
    words = re.search(rf"\b{name} = ([^,}}/]+?)\s*(?:,|/\*|\}}|\n)", TABLE).group(1)
    assert re.fullmatch(r"[\d<+() ]+", words), words
    return eval(words)  # digits, shifts and sums alone


# ---- Apple's ----

class Apple:
    def __init__(self, text):
        self.text = re.sub(r"//.*", "", text)
        self.selectors = {}
        for accessor, selector in re.findall(r'_(?:NS|MTL)_PRIVATE_DEF_SEL\(\s*(\w+),\s*"([\w:]+)"\s*\)', self.text):
            self.selectors.setdefault(selector, set()).add(accessor)
        self.enums = {name: kind for kind, name in re.findall(r"_(?:NS|MTL)_(?:ENUM|OPTIONS)\(\s*([\w:]+),\s*(\w+)\s*\)", self.text)}
        self.values = dict(re.findall(r"^\s*(\w+) = (\d+),", self.text, re.M))

    def type(self, words):
        """An integer, a known structure, chars, or an object where it points to a class."""
        words = re.sub(r"\b(?:class|MTL::|NS::)\s*|\bMTL::|\bNS::", "", words).strip()
        words = re.sub(r"\s*\*", " *", words)
        if words in ("const char *", "const void *", "void *", "void", "bool", "double", "Size"):
            return words
        if words in THEIRS:
            return THEIRS[words]
        if words in self.enums:
            return self.type(self.enums[words])
        if re.fullmatch(r"(?:const )?\w+ \*", words):
            return "object"
        if re.fullmatch(r"(?:const )?\w+ \* \*", words):
            return "object *"
        return f"unknown {words}"

    def method(self, of, selector):
        """What methods of the class send with this selector: [(what it returns, what it takes)]."""
        found = []
        classes = BASES.get(of, (re.sub("^(NS|MTL)", "", of),))
        for accessor in self.selectors.get(selector, ()):
            for name in classes:
                pattern = (rf"^_(?:NS|MTL)_INLINE [^\n;{{}}]*?\b{name}(?:<[^>]*>)?::\w+\(([^\n{{}}]*)\)(?: const)?\s*\{{\s*(?:return )?"
                           rf"(?:Object::)?sendMessage<([^;{{}}]*?)>\(([^;{{}}]*?), _(?:NS|MTL)_PRIVATE_SEL\({accessor}\)((?:, \w+)*)\);")
                for takes, returns, _, passes in re.findall(pattern, self.text, re.M):
                    types = {m.group(2): m.group(1) for m in (re.fullmatch(r"(.*?)(\w+)", t.strip()) for t in takes.split(",")) if m}
                    found.append((self.type(returns), [self.type(types[p]) for p in re.findall(r"\w+", passes)]))
        return found


class Headers(unittest.TestCase):
    apple = None

    def test_messages(self):
        rows = our_messages()
        self.assertGreater(len(rows), 35)
        for of, selector, returns, takes in rows:
            with self.subTest(f"{of} {selector}"):
                self.assertEqual(selector.count(":"), len(takes))
                theirs = self.apple.method(of, selector)
                self.assertTrue(theirs, "Apple's class has no such method")
                self.assertIn((returns, takes), theirs)

    def test_functions(self):
        rows = re.findall(r"F\(([\w *]+?), (\w+), \(([^()]*)\)\)", joined("METAL_FUNCTIONS"))
        for returns, name, takes in rows:
            if name in RUNTIME:
                continue
            with self.subTest(name):
                theirs = re.search(rf'extern "C" (.*?)\s+{name}\(([^)]*)\);', self.apple.text)
                self.assertTrue(theirs)
                self.assertEqual((our_type(returns), takes), (self.apple.type(theirs.group(1)), theirs.group(2) or "void"))
        self.assertTrue(RUNTIME < {name for _, name, _ in rows})

    def test_size(self):
        theirs = re.search(r"struct Size\n\{(.*?)\n\}", self.apple.text, re.S).group(1)
        self.assertEqual(re.findall(r"^\s*(?:NS::)?UInteger\s+(\w+);", theirs, re.M), ["width", "height", "depth"])
        self.assertIn("typedef struct metal_size { uint64_t width, height, depth; } metal_size;", TABLE)

    def test_values(self):
        named = set(re.findall(r"\b(METAL_[A-Z0-9_]+) = ", TABLE))
        self.assertEqual(named, set(VALUES))
        for ours, theirs in VALUES.items():
            self.assertEqual(our_value(ours), int(self.apple.values[theirs]), ours)

    def test_a_wrong_one_is_found(self):
        self.assertEqual(self.apple.method("MTLDevice", "newBufferWithLength:options:"), [("object", ["u64", "u64"])])
        self.assertEqual(self.apple.method("MTLDevice", "newBufferWithLength:"), [])
        self.assertEqual(self.apple.method("MTLCommandQueue", "commit"), [])


if __name__ == "__main__":
    text, missing = headers(pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else ROOT / "build"))
    if missing:
        print(missing)
        sys.exit(77)
    Headers.apple = Apple(text)
    unittest.main()
