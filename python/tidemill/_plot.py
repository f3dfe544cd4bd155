"""Pictures, as the library draws them."""
import os
from collections.abc import Callable
from html import escape

from ._tidemill import InvalidError


class Plot:
    """A picture: svg is its text, which notebooks show; save(path) writes it, as .svg or a page, .html."""

    def __init__(self, svg: str, title: str = "Plot") -> None:
        self.svg, self.title = svg, title

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<tidemill.Plot {self.title!r}, {len(self.svg)} characters of SVG>"

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Writes it. What is there is refused, unless overwrite is true."""
        name = os.fspath(path)
        if not name.endswith((".svg", ".html")):
            raise InvalidError(f"'{name}' ends neither in .svg nor in .html")
        page = f'<!DOCTYPE html>\n<meta charset="utf-8">\n<title>{escape(self.title)}</title>\n{self.svg}'
        try:
            with open(name, "w" if overwrite else "x", encoding="utf-8") as out:
                out.write(self.svg if name.endswith(".svg") else page)
        except FileExistsError:
            raise InvalidError(f"{name} is there already: another name, or overwrite=True") from None


class Drawn:
    """What a picture is drawn from, until somebody asks for it; from then on, and in a pickle, its text."""

    def __init__(self, of: Callable[[], str] | str | InvalidError) -> None:
        self._of = of

    def svg(self) -> str:
        if callable(self._of):
            try:
                self._of = self._of()
            except InvalidError as nothing:
                self._of = nothing
        if isinstance(self._of, InvalidError):
            raise self._of
        return self._of

    def or_nothing(self) -> str:
        """"" where there is nothing to draw."""
        try:
            return self.svg()
        except InvalidError:
            return ""

    def __reduce__(self) -> tuple[type["Drawn"], tuple[str | InvalidError]]:
        self.or_nothing()
        assert not callable(self._of)
        return Drawn, (self._of,)
