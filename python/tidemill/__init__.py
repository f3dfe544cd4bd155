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
from ._tidemill import *  # noqa: F401,F403
from ._tidemill import __version__ as __version__
