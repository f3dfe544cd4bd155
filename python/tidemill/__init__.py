"""Tidemill: trains and serves small and mid-size scientific models on the machine in front of you.

    import tidemill as tm

    g = tm.Graph()
    w = g.variable("w", [1.0, 2.0])
    loss = (w * w).sum()
    step = g.compile([loss, tm.sgd([w], tm.grad(loss, [w]), lr=0.1)])
    step.run()
    print(float(loss), w.tolist())

A graph is a recipe: building it computes nothing. A Value names one result of it, which is computed when it is read, or by
a program that compile() makes.
"""
import os as _os

# A package with oneDNN of its own (the build option python_onednn) uses that one, unless another is named.
_onednn = _os.path.join(_os.path.dirname(__file__), "libdnnl.so")
if _os.path.exists(_onednn):
    _os.environ.setdefault("TIDEMILL_ONEDNN", _onednn)

from ._tidemill import *  # noqa: E402,F401,F403
from ._tidemill import __version__ as __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import eis as eis
    from .forecaster import Forecaster as Forecaster, load as load


def __getattr__(name: str) -> object:
    """What is not the engine is loaded when it is first asked for: who builds models does not wait for it."""
    from importlib import import_module

    if name == "eis":
        return import_module(".eis", __name__)
    if name in ("Forecaster", "load"):
        return getattr(import_module(".forecaster", __name__), name)
    raise AttributeError(f"module 'tidemill' has no attribute '{name}'")
