"""Runs a command on a terminal: terminal.py COLUMNS SECONDS PROGRAM ARGUMENT...

SECONDS after the first output SIGINT is sent, or `never`. Prints JSON: the exit `status`, the `text` of what was written without
colours, the `screen` in the end, and `shown`, how the screen was when the signal was sent.
"""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
import unicodedata

ROWS = 4000


class Screen:
    """A terminal that knows what udmap and its bars write."""

    def __init__(self, columns):
        self.columns, self.rows, self.row, self.column, self.rest = columns, [""], 0, 0, ""

    def feed(self, text):
        text, self.rest = self.rest + text, ""
        at = 0
        while at < len(text):
            match = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])").match(text, at)
            if match:
                self.control(match[2], match[1])
                at = match.end()
            elif text[at] == "\x1b" and len(text) - at < 12:
                self.rest = text[at:]
                return
            else:
                self.put(text[at])
                at += 1

    def control(self, what, number):
        n = int(number) if number.isdigit() else 1
        line = self.rows[self.row]
        if what == "K":
            self.rows[self.row] = "" if number == "2" else line[: self.column]
        elif what == "A":
            self.row = max(0, self.row - n)
        elif what == "B":
            self.move(self.row + n)
        elif what == "G":
            self.column = n - 1
        elif what == "J":
            self.rows[self.row] = line[: self.column]
            del self.rows[self.row + 1 :]

    def move(self, row):
        self.row = row
        self.rows += [""] * (row + 1 - len(self.rows))

    def put(self, char):
        if char == "\r":
            self.column = 0
        elif char == "\n":
            self.move(self.row + 1)
        else:
            wide = 2 if unicodedata.east_asian_width(char) in "WF" else 1
            if self.column + wide > self.columns:
                self.move(self.row + 1)
                self.column = 0
            line = self.rows[self.row].ljust(self.column)
            self.rows[self.row] = line[: self.column] + char + line[self.column + 1 :]
            self.column += wide

    def shown(self):
        return [line.rstrip() for line in self.rows]


def main():
    columns, seconds = int(sys.argv[1]), sys.argv[2]
    process, terminal = pty.fork()
    if process == 0:
        # The size is set before anything is written.
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
        os.execv(sys.argv[3], sys.argv[3:])
    screen, text, shown = Screen(columns), "", None
    end = None
    while True:
        if end is not None and time.monotonic() >= end:
            end, shown = None, screen.shown()
            os.kill(process, signal.SIGINT)
        if not select.select([terminal], [], [], 0.02)[0]:
            continue
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        piece = piece.decode("utf-8", "replace")
        if not text and seconds != "never":
            end = time.monotonic() + float(seconds)
        text += piece
        screen.feed(piece)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    text = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", text).replace("\r\n", "\n")
    json.dump({"status": status, "text": text, "screen": screen.shown(), "shown": shown}, sys.stdout)


main()
