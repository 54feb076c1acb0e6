"""A row whose widgets go on in the next line where there is no more room."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget


class FlowRow(QWidget):
    """Lays widgets out like words; one that is wider than a line takes lines of its own.

    A widget and no `QLayout`: Qt and Python would both own the items of a layout written
    in Python, and the process ends where both let go.
    """

    def __init__(self, *, spacing: int) -> None:
        super().__init__()
        self._spacing = spacing
        self._widgets: list[QWidget] = []
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def add(self, widget: QWidget) -> None:
        """Put a widget at the end."""
        widget.setParent(self)
        self._widgets.append(widget)
        if not widget.testAttribute(Qt.WidgetAttribute.WA_WState_ExplicitShowHide):
            widget.show()
        self._changed()

    def remove(self, widget: QWidget) -> None:
        """Take a widget out and let it go."""
        self._widgets.remove(widget)
        widget.hide()
        widget.deleteLater()
        self._changed()

    def event(self, event: QEvent, /) -> bool:
        """Lay out anew when a widget wants another size, is shown or hidden."""
        if event.type() is QEvent.Type.LayoutRequest:
            self._changed()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent, /) -> None:
        super().resizeEvent(event)
        self._place()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int, /) -> int:
        return max((place.bottom() + 1 for _, place in self._places(width)), default=0)

    def minimumSizeHint(self) -> QSize:
        widest = max((each.minimumSizeHint().width() for each in self._shown()), default=0)
        return QSize(widest, 0)

    def sizeHint(self) -> QSize:
        hints = [each.sizeHint() for each in self._shown()]
        gaps = self._spacing * max(len(hints) - 1, 0)
        width = sum(hint.width() for hint in hints) + gaps
        return QSize(width, max((hint.height() for hint in hints), default=0))

    def _changed(self) -> None:
        self.updateGeometry()
        self._place()

    def _place(self) -> None:
        for widget, place in self._places(self.width()):
            widget.setGeometry(place)

    def _shown(self) -> list[QWidget]:
        return [each for each in self._widgets if not each.isHidden()]

    def _places(self, width: int) -> Iterator[tuple[QWidget, QRect]]:
        """Yield where each widget stands in lines of a width; lines are centred vertically."""
        top = 0
        for line in self._lines(width):
            height = max(size.height() for _, size in line)
            left = 0
            for widget, size in line:
                corner = QPoint(left, top + (height - size.height()) // 2)
                yield widget, QRect(corner, size)
                left += size.width() + self._spacing
            top += height + self._spacing

    def _lines(self, width: int) -> Iterator[list[tuple[QWidget, QSize]]]:
        line: list[tuple[QWidget, QSize]] = []
        left = 0
        for widget in self._shown():
            size = widget.sizeHint()
            if size.width() > width:
                size = QSize(width, max(widget.heightForWidth(width), size.height()))
            if line and left + size.width() > width:
                yield line
                line, left = [], 0
            line.append((widget, size))
            left += size.width() + self._spacing
        if line:
            yield line


class FlowLabel(QLabel):
    """Plain text that wants one line, and wraps where it does not get it."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)

    def sizeHint(self) -> QSize:
        lines = self.fontMetrics().size(0, self.text())
        # A pixel more than the words, so that rounding wraps nothing.
        return QSize(lines.width() + 1, max(lines.height(), self.heightForWidth(lines.width() + 1)))

    def minimumSizeHint(self) -> QSize:
        words = self.text().split() or [""]
        longest = max(self.fontMetrics().horizontalAdvance(word) for word in words)
        return QSize(longest, self.fontMetrics().height())
