"""What the scripts that `tidemill bench --against` runs share: the cases' sizes, how runs are timed, and the lines that are
printed."""
import argparse
import dataclasses
import json
import time

WARMUPS, LEAST_STEPS, MOST_STEPS, ANSWER_WARMUPS, ANSWERS = 5, 5, 300, 10, 100
SEQ, PRED, MARKS, HEADS = 96, 96, 4, 8
CLASSES, PARAMETERS = 12, 5
RATE, DECAY, CLIP = 1e-3, 1e-2, 1.0


@dataclasses.dataclass(frozen=True)
class Forecast:
    """Sizes of an iTransformer over `columns` variates. answers: no step is timed, but answers to the whole batch."""
    columns: int
    batch: int
    width: int
    inner: int
    layers: int
    dropout: float = 0.1
    answers: bool = False


@dataclasses.dataclass(frozen=True)
class Impedance:
    """Sizes of the predictor of circuit parameters from the known ones. Dropout: of the encoder's two layers and the heads."""
    batch: int
    hidden: int = 512
    dropout: tuple = (0.3, 0.2, 0.1)
    answers: bool = False


STEPS = {
    "etth1": Forecast(columns=7, batch=32, width=256, inner=256, layers=2),
    "m1": Forecast(columns=7, batch=256, width=192, inner=768, layers=2),
    "ecl": Forecast(columns=321, batch=16, width=512, inner=512, layers=3),
    "traffic": Forecast(columns=862, batch=16, width=512, inner=512, layers=4),
    "eis512": Impedance(batch=512),
    "eis8192": Impedance(batch=8192),
}
PREDICT = {f"predict{batch}": dataclasses.replace(STEPS["etth1"], batch=batch, answers=True) for batch in (1, 64, 1024)}
CASES = {**STEPS, **PREDICT}


def seconds_of(run):
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def quantile(times, q):
    """Interpolated between the two nearest."""
    times, place = sorted(times), q * (len(times) - 1)
    low = int(place)
    return times[low] + (place - low) * (times[min(low + 1, len(times) - 1)] - times[low])


def step_figures(step, wait, budget_s, queues):
    """Of steps after the first, each waited for; where the device queues them, so many again with a single wait."""
    def waited():
        step()
        wait()

    def queued():
        for _ in steps:
            step()
        wait()

    for _ in range(WARMUPS):
        waited()
    steps, until = [], time.perf_counter() + budget_s
    while len(steps) < LEAST_STEPS or (len(steps) < MOST_STEPS and time.perf_counter() < until):
        steps.append(seconds_of(waited))
    figures = {"step_ms": 1e3 * quantile(steps, 0.5), "step_min_ms": 1e3 * min(steps)}
    return {**figures, "queued_ms": 1e3 * seconds_of(queued) / len(steps)} if queues else figures


def answer_figures(answer):
    """`answer` waits for what it asks."""
    answers = [seconds_of(answer) for _ in range(ANSWER_WARMUPS + ANSWERS)][ANSWER_WARMUPS:]
    return {"infer_p50_ms": 1e3 * quantile(answers, 0.5), "infer_p95_ms": 1e3 * quantile(answers, 0.95)}


def parse_options(doc, more=()):
    """more: switches of this script's own, with what they do."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:INDEX")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--cases", default=",".join(STEPS), help="; also: ".join([",".join(STEPS), ",".join(PREDICT)]))
    parser.add_argument("--modes", help="all by default")
    parser.add_argument("--seconds", type=float, default=3.0)
    for name, words in more:
        parser.add_argument(name, action="store_true", help=words)
    return parser.parse_args()


def print_line(figures):
    print(json.dumps(figures), flush=True)


def print_cases(cases, modes, measure, after=lambda: None):
    """A line for each case and mode, by their names: what measure(sizes, mode) gives."""
    for name in cases:
        for mode in modes:
            try:
                figures = measure(CASES[name], mode)
            except Exception as error:  # a mode that does not work here is told, and the others go on
                figures = {"failed": f"{type(error).__name__}: {error}"[:200]}
            print_line({"case": name, "mode": mode, **figures})
            after()
