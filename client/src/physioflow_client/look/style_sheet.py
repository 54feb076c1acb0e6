"""The one style sheet, made from tokens.

A widget takes its look by `setProperty("role", …)`, and colour with a meaning by
`setProperty("tone", …)`:

    QLabel       display  28 px semibold         the score that a card is about
                 h1       22 px semibold         a page's title
                 h2       16 px semibold         a card's title
                 strong   14 px semibold
                 muted    14 px, quiet           a line of identity
                 small    12 px, quiet           meta data
                 error    12 px, red             below a field
                 label    12 px semibold, quiet  above a field
                 pill     12 px semibold         the words of a pill
                 empty    14 px, quiet, centred  an empty list's one sentence
                 tone = accent | warn | danger | ok | theirs colours any of them
    QPushButton  (none)   white with a line      any action
                 primary  accent                 at most one a page
                 quiet    no ground, accent text
                 danger   no ground, red text
                 chip     small, checkable       a filter above a list
                 banner   bold, in its banner's tone
    QFrame       card     surface, line, radius 12
                 inset    band, radius 8
                 sidebar  surface, line on the right
                 topbar   surface, line below
                 footer   surface, line above
                 rule     a line of 1 px
                 pill     round, in its tone
                 undecided  a dashed amber line: a person must choose here
                 tone = accent | warn | danger | ok | theirs | neutral: a soft ground, radius 8
    QWidget      page     background
                 surface  surface
    QAbstractItemView
                 plain    no frame, ground of its parent
    any editor   invalid = true: a red line

Call `restyle(widget)` after changing a property of a widget that is already shown.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtWidgets import QWidget

from physioflow_client.look.tokens import (
    BODY_PX,
    DISPLAY_PX,
    FOCUS_RING_PX,
    FONT_FAMILY,
    LARGE_PX,
    RADIUS_CARD,
    RADIUS_CONTROL,
    SEMIBOLD,
    SMALL_PX,
    TITLE_PX,
    Tokens,
    mix,
)

TONES: Final = ("accent", "warn", "danger", "ok", "theirs")


def restyle(widget: QWidget) -> None:
    """Make Qt read the style sheet again after a property changed."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()


IMAGES: Final = {"check": "on_accent", "chevron-down": "muted"}
"""Icons that the style sheet draws itself → the token of their colour."""


def style_sheet(tokens: Tokens, images: Path) -> str:
    """Return the app's style sheet.

    Args:
        images: a folder that holds each of `IMAGES` as `<name>.svg`, coloured: a style
            sheet can name files only.
    """
    return _images(images) + "\n".join(
        part(tokens)
        for part in (
            _ground,
            _labels,
            _frames,
            _tones,
            _buttons,
            _choices,
            _editors,
            _pop_ups,
            _item_views,
            _tabs,
            _scroll_bars,
        )
    )


def _images(folder: Path) -> str:
    check, chevron = ((folder / f"{name}.svg").as_posix() for name in IMAGES)
    return f"""
QCheckBox::indicator:checked {{ image: url("{check}"); }}
QComboBox::down-arrow, QDateEdit::down-arrow {{
    image: url("{chevron}"); width: 16px; height: 16px;
}}
"""


def _ground(t: Tokens) -> str:
    return f"""
* {{ font-family: "{FONT_FAMILY}"; }}
QWidget {{ color: {t.text}; font-size: {BODY_PX}px; }}
QAbstractScrollArea {{ background: transparent; border: none; }}
QMainWindow, QDialog, QWidget[role="page"] {{ background: {t.background}; }}
QWidget[role="surface"] {{ background: {t.surface}; }}
QSplitter::handle {{ background: {t.line}; }}
QSplitter::handle:horizontal {{ width: 1px; }}
QStatusBar {{ background: {t.surface}; border-top: 1px solid {t.line}; color: {t.muted}; }}
QStatusBar::item {{ border: none; }}
"""


def _labels(t: Tokens) -> str:
    return f"""
QLabel {{ background: transparent; }}
QLabel[role="display"] {{ font-size: {DISPLAY_PX}px; font-weight: {SEMIBOLD}; }}
QLabel[role="h1"] {{ font-size: {TITLE_PX}px; font-weight: {SEMIBOLD}; }}
QLabel[role="h2"] {{ font-size: {LARGE_PX}px; font-weight: {SEMIBOLD}; }}
QLabel[role="strong"] {{ font-weight: {SEMIBOLD}; }}
QLabel[role="muted"], QLabel[role="empty"] {{ color: {t.muted}; }}
QLabel[role="small"] {{ color: {t.muted}; font-size: {SMALL_PX}px; }}
QLabel[role="error"] {{ color: {t.danger}; font-size: {SMALL_PX}px; }}
QLabel[role="pill"] {{ font-size: {SMALL_PX}px; font-weight: {SEMIBOLD}; }}
QLabel[role="label"] {{
    color: {t.muted}; font-size: {SMALL_PX}px; font-weight: {SEMIBOLD};
}}
"""


def _frames(t: Tokens) -> str:
    return f"""
QFrame[role="card"] {{
    background: {t.surface}; border: 1px solid {t.line}; border-radius: {RADIUS_CARD}px;
}}
QFrame[role="inset"] {{ background: {t.band}; border: none; border-radius: {RADIUS_CONTROL}px; }}
QFrame[role="sidebar"] {{
    background: {t.surface}; border: none; border-right: 1px solid {t.line};
}}
QFrame[role="topbar"] {{
    background: {t.surface}; border: none; border-bottom: 1px solid {t.line};
}}
QFrame[role="footer"] {{
    background: {t.surface}; border: none; border-top: 1px solid {t.line};
}}
QFrame[role="undecided"] {{
    background: transparent; border: 1px dashed {t.warn}; border-radius: {RADIUS_CONTROL}px;
}}
QFrame[role="rule"] {{ background: {t.line}; border: none; max-height: 1px; min-height: 1px; }}
"""


def _tones(t: Tokens) -> str:
    rules = [
        f"QFrame[tone] {{ border-radius: {RADIUS_CONTROL}px; }}",
        f'QFrame[tone="neutral"] {{ background: {t.band}; }}',
        'QFrame[role="banner"][tone] { border: none; border-radius: 0; }',
        'QFrame[role="pill"][tone] { border: none; border-radius: 10px; }',
    ]
    for tone in TONES:
        strong, soft = getattr(t, tone), getattr(t, f"{tone}_soft")
        edge = mix(soft, strong, 0.35)
        rules += [
            f'QLabel[tone="{tone}"] {{ color: {strong}; }}',
            f'QFrame[tone="{tone}"] {{ background: {soft}; }}',
            f'QFrame[role="banner"][tone="{tone}"] {{ background: {soft}; }}',
            f'QFrame[role="banner"][tone="{tone}"] {{ border-bottom: 1px solid {edge}; }}',
            f'QPushButton[role="banner"][tone="{tone}"] {{ color: {strong}; }}',
        ]
    # A label is a QFrame to Qt, but takes a tone for its letters alone.
    rules.append("QLabel[tone] { background: transparent; }")
    return "\n".join(rules)


def _buttons(t: Tokens) -> str:
    pressed = mix(t.surface, t.text, 0.1)
    return f"""
QPushButton, QToolButton {{
    background: {t.surface}; border: 1px solid {t.line}; border-radius: {RADIUS_CONTROL}px;
    padding: 8px 14px;
}}
QPushButton:hover, QToolButton:hover {{ background: {mix(t.surface, t.text, 0.04)}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {pressed}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {t.muted}; background: {t.band}; }}
QPushButton:focus, QToolButton:focus {{
    border: {FOCUS_RING_PX}px solid {t.accent}; padding: 7px 13px;
}}
QPushButton[role="primary"] {{
    background: {t.accent}; border-color: {t.accent}; color: {t.on_accent};
    font-weight: {SEMIBOLD};
}}
QPushButton[role="primary"]:hover {{ background: {mix(t.accent, t.text, 0.12)}; }}
QPushButton[role="primary"]:pressed {{ background: {mix(t.accent, t.text, 0.24)}; }}
QPushButton[role="primary"]:focus {{ border-color: {t.text}; }}
QPushButton[role="primary"]:disabled {{
    background: {t.band}; border-color: {t.band}; color: {t.muted};
}}
QPushButton[role="quiet"], QPushButton[role="danger"], QPushButton[role="banner"] {{
    background: transparent; border: 2px solid transparent; padding: 6px 12px;
    font-weight: {SEMIBOLD}; color: {t.accent};
}}
QPushButton[role="danger"] {{ color: {t.danger}; }}
QPushButton[role="quiet"]:hover {{ background: {t.accent_soft}; }}
QPushButton[role="danger"]:hover {{ background: {t.danger_soft}; }}
QPushButton[role="banner"]:hover {{ text-decoration: underline; }}
QPushButton[role="quiet"]:focus, QPushButton[role="danger"]:focus,
QPushButton[role="banner"]:focus {{ border-color: {t.accent}; }}
QPushButton[role="chip"] {{
    padding: 4px 10px; font-size: {SMALL_PX}px; color: {t.muted}; background: {t.background};
}}
QPushButton[role="chip"]:checked {{
    background: {t.accent_soft}; border-color: {t.accent_soft}; color: {t.accent};
    font-weight: {SEMIBOLD};
}}
QPushButton[role="chip"]:focus {{ border-color: {t.accent}; padding: 3px 9px; }}
QToolButton {{ padding: 6px; border-color: transparent; background: transparent; }}
QToolButton:focus {{ padding: 5px; }}
QToolButton::menu-indicator {{ image: none; }}
"""


def _choices(t: Tokens) -> str:
    return f"""
QRadioButton, QCheckBox {{
    spacing: 8px; padding: 2px; border: 2px solid transparent; border-radius: 6px;
    background: transparent; outline: none;
}}
QRadioButton:focus, QCheckBox:focus {{ border-color: {t.accent}; }}
QRadioButton::indicator {{
    width: 14px; height: 14px; border-radius: 9px; border: 2px solid {t.muted};
    background: {t.surface};
}}
QRadioButton::indicator:checked {{
    width: 8px; height: 8px; border-radius: 9px; border: 5px solid {t.accent};
    background: {t.surface};
}}
QRadioButton:disabled, QCheckBox:disabled {{ color: {t.muted}; }}
QCheckBox::indicator {{
    width: 14px; height: 14px; border-radius: 4px; border: 2px solid {t.muted};
    background: {t.surface};
}}
QCheckBox::indicator:checked {{
    background: {t.accent}; border-color: {t.accent};
}}
QProgressBar {{
    background: {t.band}; border: none; border-radius: 3px; max-height: 6px; min-height: 6px;
}}
QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
"""


def _editors(t: Tokens) -> str:
    editors = "QLineEdit, QPlainTextEdit, QTextEdit, QAbstractSpinBox, QComboBox"
    return f"""
{editors} {{
    background: {t.surface}; border: 1px solid {t.line}; border-radius: {RADIUS_CONTROL}px;
    padding: 8px 12px; selection-background-color: {t.accent};
    selection-color: {t.on_accent};
}}
{_each(editors, ":focus")} {{ border: {FOCUS_RING_PX}px solid {t.accent}; padding: 7px 11px; }}
{_each(editors, '[invalid="true"]')} {{ border: 2px solid {t.danger}; padding: 7px 11px; }}
{_each(editors, ":disabled")} {{ background: {t.band}; color: {t.muted}; }}
"""


def _each(selectors: str, suffix: str) -> str:
    return ", ".join(f"{selector}{suffix}" for selector in selectors.split(", "))


def _pop_ups(t: Tokens) -> str:
    return f"""
QComboBox::drop-down, QDateEdit::drop-down {{ border: none; width: 28px; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{
    subcontrol-origin: border; width: 1px; border: none; background: transparent;
}}
QAbstractSpinBox::up-arrow, QAbstractSpinBox::down-arrow {{ image: none; }}
QComboBox QAbstractItemView {{
    background: {t.surface}; border: 1px solid {t.line}; border-radius: {RADIUS_CONTROL}px;
    padding: 4px; selection-background-color: {t.accent_soft}; selection-color: {t.text};
}}
#qt_calendar_navigationbar {{ background: {t.surface}; }}
#qt_calendar_navigationbar QToolButton {{ color: {t.text}; font-weight: {SEMIBOLD}; }}
QMenu {{
    background: {t.surface}; border: 1px solid {t.line}; border-radius: {RADIUS_CONTROL}px;
    padding: 4px;
}}
QMenu::item {{ padding: 8px 20px 8px 12px; border-radius: 6px; }}
QMenu::item:selected {{ background: {t.accent_soft}; }}
QMenu::item:disabled {{ color: {t.muted}; }}
QMenu::separator {{ height: 1px; background: {t.line}; margin: 4px 8px; }}
QToolTip {{
    background: {t.text}; color: {t.surface}; border: none; padding: 6px 8px;
    font-size: {SMALL_PX}px;
}}
"""


def _item_views(t: Tokens) -> str:
    return f"""
QAbstractItemView {{
    background: {t.surface}; border: none; outline: none; alternate-background-color: {t.band};
    selection-background-color: {t.accent_soft}; selection-color: {t.text};
    gridline-color: {t.line};
}}
QAbstractItemView[role="plain"] {{ background: transparent; }}
QListView::item {{ padding: 6px 8px; }}
QTableView::item {{ padding: 4px 8px; }}
QCalendarWidget QTableView::item {{ padding: 0; }}
QAbstractItemView::item:selected {{ background: {t.accent_soft}; color: {t.text}; }}
QHeaderView {{ background: {t.surface}; }}
QHeaderView::section {{
    background: {t.surface}; color: {t.muted}; border: none; padding: 8px;
    border-bottom: 1px solid {t.line}; font-size: {SMALL_PX}px; font-weight: {SEMIBOLD};
    text-align: left;
}}
QTableCornerButton::section {{ background: {t.surface}; border: none; }}
"""


def _tabs(t: Tokens) -> str:
    return f"""
QTabWidget::pane {{ border: none; border-top: 1px solid {t.line}; top: -1px; }}
QTabBar {{ background: transparent; qproperty-drawBase: 0; }}
QTabBar::tab {{
    background: transparent; color: {t.muted}; padding: 8px 4px; margin-right: 20px;
    border: {FOCUS_RING_PX}px solid transparent;
}}
QTabBar::tab:hover {{ color: {t.text}; }}
QTabBar::tab:selected {{ color: {t.accent}; border-bottom-color: {t.accent}; }}
QTabBar::tab:focus {{ border-color: {t.accent}; border-radius: 6px; }}
"""


def _scroll_bars(t: Tokens) -> str:
    thumb = mix(t.line, t.muted, 0.45)
    return f"""
QScrollBar {{ background: transparent; border: none; }}
QScrollBar:vertical {{ width: 10px; margin: 2px; }}
QScrollBar:horizontal {{ height: 10px; margin: 2px; }}
QScrollBar::handle {{ background: {thumb}; border-radius: 3px; min-width: 28px; min-height: 28px; }}
QScrollBar::handle:hover {{ background: {t.muted}; }}
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{
    background: transparent; border: none; width: 0; height: 0;
}}
"""
