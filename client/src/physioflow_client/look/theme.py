"""Light, dark, or as the system has it: palette, font and style sheet of the whole app."""

from __future__ import annotations

import enum
from importlib.resources import files
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Qt, QTemporaryDir, Slot
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QStyle

from physioflow_client.look.fonts import font, load_fonts
from physioflow_client.look.style_sheet import IMAGES, style_sheet
from physioflow_client.look.tokens import DARK, LIGHT, Tokens, mix

_PROPERTY: Final = "physioflow_tokens"
_FOLLOWER: Final = "physioflow_theme_follower"


class Theme(enum.Enum):
    """What the person chose in the settings."""

    LIGHT = "light"
    DARK = "dark"
    SYSTEM = "system"


_SCHEMES: Final = {
    Theme.LIGHT: Qt.ColorScheme.Light,
    Theme.DARK: Qt.ColorScheme.Dark,
    Theme.SYSTEM: Qt.ColorScheme.Unknown,
}


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Give the whole app its look; may be called again at any time.

    A high-contrast system theme stands above the choice: then the system's own colours
    are used.  With `Theme.SYSTEM` the app follows the system from now on.
    """
    load_fonts()
    follower = app.findChild(_SystemFollower, _FOLLOWER) or _SystemFollower(app)
    follower.theme = theme
    hints = app.styleHints()
    if hints.colorScheme() is not _SCHEMES[theme]:
        hints.setColorScheme(_SCHEMES[theme])
    follower.apply()


def current_tokens() -> Tokens:
    """Return the colours that the app shows at present (light before any theme is set)."""
    app = QGuiApplication.instance()
    tokens = app.property(_PROPERTY) if app is not None else None
    return tokens if isinstance(tokens, Tokens) else LIGHT


def motion_is_reduced() -> bool:
    """Tell whether the system asks for less motion."""
    return not QApplication.style().styleHint(QStyle.StyleHint.SH_Widget_Animate)


def tokens_of_palette(palette: QPalette) -> Tokens:
    """Return tokens made of a high-contrast system's own colours, text on window only."""
    ground = palette.color(QPalette.ColorRole.Window).name()
    text = palette.color(QPalette.ColorRole.WindowText).name()
    return Tokens(
        background=ground,
        surface=ground,
        line=text,
        text=text,
        muted=text,
        band=mix(ground, text, 0.1),
        accent=text,
        accent_soft=mix(ground, text, 0.2),
        on_accent=ground,
        warn=text,
        warn_soft=ground,
        danger=text,
        danger_soft=ground,
        ok=text,
        ok_soft=ground,
        theirs=text,
        theirs_soft=ground,
    )


class _SystemFollower(QObject):
    """Re-applies the theme when the system's scheme or contrast changes."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self.setObjectName(_FOLLOWER)
        self.theme = Theme.SYSTEM
        self._app = app
        self._folder = QTemporaryDir()
        hints = app.styleHints()
        hints.colorSchemeChanged.connect(self._follow)
        hints.accessibility().contrastPreferenceChanged.connect(self._follow)

    @Slot()
    def _follow(self) -> None:
        self.apply()

    def apply(self) -> None:
        app = self._app
        # An empty palette gives the system's colours back, which may be wanted now.
        app.setPalette(QPalette())
        tokens = self._tokens()
        app.setProperty(_PROPERTY, tokens)
        app.setStyle("Fusion")
        app.setPalette(_palette(tokens))
        app.setFont(font())
        app.setStyleSheet(style_sheet(tokens, self._images(tokens)))

    def _tokens(self) -> Tokens:
        hints = self._app.styleHints()
        if hints.accessibility().contrastPreference() is Qt.ContrastPreference.HighContrast:
            return tokens_of_palette(self._app.palette())
        is_dark = self.theme is Theme.DARK or (
            self.theme is Theme.SYSTEM and hints.colorScheme() is Qt.ColorScheme.Dark
        )
        return DARK if is_dark else LIGHT

    def _images(self, tokens: Tokens) -> Path:
        """Write the style sheet's icons, one folder a ground: Qt caches images by path."""
        folder = Path(self._folder.path()) / tokens.surface.lstrip("#")
        folder.mkdir(exist_ok=True)
        icons = files("physioflow_client") / "resources" / "icons"
        for name, token in IMAGES.items():
            source = (icons / f"{name}.svg").read_text(encoding="utf-8")
            coloured = source.replace("currentColor", str(getattr(tokens, token)))
            (folder / f"{name}.svg").write_text(coloured, encoding="utf-8")
        return folder


def _palette(tokens: Tokens) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for roles, colour in (
        ((role.Window,), tokens.background),
        ((role.Base, role.Button), tokens.surface),
        ((role.AlternateBase, role.Midlight), tokens.band),
        ((role.Light, role.Mid, role.Dark, role.Shadow), tokens.line),
        ((role.WindowText, role.Text, role.ButtonText, role.BrightText), tokens.text),
        ((role.PlaceholderText,), tokens.muted),
        ((role.Highlight, role.Accent, role.Link, role.LinkVisited), tokens.accent),
        ((role.HighlightedText,), tokens.on_accent),
        ((role.ToolTipBase,), tokens.text),
        ((role.ToolTipText,), tokens.surface),
    ):
        for each in roles:
            palette.setColor(each, QColor(colour))
    for each in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, each, QColor(tokens.muted))
    return palette
