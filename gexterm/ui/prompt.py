"""One line that asks for a word: a time, a strike, a note."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from gexterm.errors import GextermError


class Prompt(ModalScreen[str | None]):
    """Asks for a line of text at the foot of the screen; what is above goes on.

    `check` raises a GextermError, whose words are shown, while what was entered cannot be.
    """

    DEFAULT_CSS = """
    Prompt { background: transparent; align: left bottom; }
    Prompt Vertical {
        dock: bottom; height: auto; background: $gx-raised; padding: 0 1;
        border-top: solid $gx-line;
    }
    Prompt Static { height: auto; background: $gx-raised; color: $gx-muted; }
    Prompt #wrong { color: $gx-warning; display: none; }
    Prompt Input, Prompt Input:focus {
        border: none; padding: 0; height: 1; background: $gx-raised; color: $gx-strong;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", "Never mind", show=False),
    ]

    def __init__(
        self,
        question: str,
        *,
        example: str = "",
        value: str = "",
        check: Callable[[str], object] | None = None,
    ) -> None:
        super().__init__()
        self._question, self._example, self._value = question, example, value
        self._check = check

    def compose(self) -> ComposeResult:
        """Question, line, and what is wrong with what was entered."""
        with Vertical():
            yield Static(self._question, markup=False)
            field = Input(self._value, placeholder=self._example, select_on_focus=False)
            field.cursor_blink = False
            yield field
            yield Static("", id="wrong", markup=False)

    def on_mount(self) -> None:
        """Type at once."""
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the line, unless it cannot be."""
        event.stop()
        text = event.value.strip()
        if text and self._check is not None:
            try:
                self._check(text)
            except GextermError as error:
                wrong = self.query_one("#wrong", Static)
                wrong.update(str(error))
                wrong.display = True
                return
        self.dismiss(text or None)

    def action_give_up(self) -> None:
        """Ask no more."""
        self.dismiss(None)
