"""What echo.py needs of the C library, by ctypes: nps.h as a binding in any language declares it.

One owner calls close() once, after every other call on the object has returned. The library has no callbacks and keeps
nothing in the thread; ctypes lets other Python threads run while a call waits.
"""

import ctypes
from ctypes import POINTER, Structure, byref, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p

OK, WOULD_BLOCK = 0, 1
READABLE, WRITABLE = 1, 2

_ABI_VERSION = 1  # NPS_ABI_VERSION of the header that this was written after


class _ServerOptions(Structure):
    # Not all: options structs may end where they ended in an older header, and what is left out has its default.
    _fields_ = [
        ("size", c_uint32),
        ("direction", c_uint32),
        ("name", c_char_p),
        ("max_instances", c_uint32),
        ("flags", c_uint32),
        ("in_buffer_size", c_uint32),
        ("out_buffer_size", c_uint32),
        ("read_ahead", c_uint32),
        ("write_limit", c_uint32),
    ]


class _ClientOptions(Structure):
    _fields_ = [
        ("size", c_uint32),
        ("direction", c_uint32),
        ("name", c_char_p),
        ("timeout_ms", c_int64),
        ("flags", c_uint32),
        ("read_ahead", c_uint32),
        ("write_limit", c_uint32),
        ("reserved", c_uint32),
    ]


class _Event(Structure):
    _fields_ = [("token", c_uint64), ("readiness", c_uint32), ("reserved", c_uint32)]


class PipeError(OSError):
    """A call failed: its status by name and in words, and the system's own code."""


class Library:
    """libnps.so or nps.dll, with its functions declared: without that, pointers would be cut to 32 bits."""

    _DECLARATIONS = {
        "nps_abi_version": (c_uint32, []),
        "nps_status_name": (c_char_p, [c_int32]),
        "nps_status_text": (c_char_p, [c_int32]),
        "nps_server_options_init": (c_int64, [POINTER(_ServerOptions), c_uint32]),
        "nps_client_options_init": (c_int64, [POINTER(_ClientOptions), c_uint32]),
        "nps_poll_create": (c_int64, [c_void_p, POINTER(c_void_p)]),
        "nps_poll_wait": (c_int64, [c_void_p, POINTER(_Event), c_uint32, c_int64, POINTER(c_uint32)]),
        "nps_poll_release": (None, [c_void_p]),
        "nps_pipe_create": (c_int64, [POINTER(_ServerOptions), POINTER(c_void_p)]),
        "nps_pipe_open": (c_int64, [POINTER(_ClientOptions), POINTER(c_void_p)]),
        "nps_pipe_register": (c_int64, [c_void_p, c_void_p, c_uint64, c_uint32]),
        "nps_pipe_connect": (c_int64, [c_void_p]),
        "nps_pipe_read": (c_int64, [c_void_p, c_void_p, c_size_t, POINTER(c_size_t)]),
        "nps_pipe_write": (c_int64, [c_void_p, c_char_p, c_size_t, POINTER(c_size_t)]),
        "nps_pipe_release": (None, [c_void_p]),
    }

    def __init__(self, path):
        self._library = ctypes.CDLL(path)
        for name, (result, arguments) in self._DECLARATIONS.items():
            function = getattr(self._library, name)
            function.restype, function.argtypes = result, arguments
        if self.nps_abi_version() != _ABI_VERSION:
            raise ImportError(f"{path} has ABI version {self.nps_abi_version()}, not {_ABI_VERSION}")

    def __getattr__(self, name):
        return getattr(self._library, name)

    def check(self, result):
        """The status of a result: its upper half. Raises if it is an error."""
        status, detail = result >> 32, result & 0xFFFFFFFF
        if status < 0:
            name, text = self.nps_status_name(status).decode(), self.nps_status_text(status).decode()
            raise PipeError(f"{text} ({name}, {detail})")
        return status


class Poll:
    """Says which pipes to call."""

    def __init__(self, library):
        self.library, self.pointer = library, c_void_p()
        library.check(library.nps_poll_create(None, byref(self.pointer)))
        self._events = (_Event * 64)()

    def wait(self, timeout_ms=-1):
        """Sleeps until a pipe is ready; gives the tokens and what became possible."""
        count = c_uint32()
        events = self._events
        self.library.check(self.library.nps_poll_wait(self.pointer, events, len(events), timeout_ms, byref(count)))
        return [(event.token, event.readiness) for event in events[: count.value]]

    def close(self):
        self.library.nps_poll_release(self.pointer)


class Pipe:
    """One end of a named pipe. No call blocks."""

    def __init__(self, poll, token, pointer):
        self._library, self._pointer = poll.library, pointer
        self._library.check(self._library.nps_pipe_register(pointer, poll.pointer, token, READABLE | WRITABLE))
        self._room = ctypes.create_string_buffer(65536)

    @classmethod
    def serve(cls, poll, token, name):
        library, options, pointer = poll.library, _ServerOptions(), c_void_p()
        library.check(library.nps_server_options_init(byref(options), ctypes.sizeof(options)))
        options.name = name.encode()
        library.check(library.nps_pipe_create(byref(options), byref(pointer)))
        return cls(poll, token, pointer)

    @classmethod
    def open(cls, poll, token, name):
        library, options, pointer = poll.library, _ClientOptions(), c_void_p()
        library.check(library.nps_client_options_init(byref(options), ctypes.sizeof(options)))
        options.name = name.encode()
        library.check(library.nps_pipe_open(byref(options), byref(pointer)))
        return cls(poll, token, pointer)

    def connect(self):
        """Whether a client is there; if not, an event will say when."""
        return self._library.check(self._library.nps_pipe_connect(self._pointer)) == OK

    def read(self):
        """What is there; None: nothing now, an event will say when; b"": the end."""
        count = c_size_t()
        result = self._library.nps_pipe_read(self._pointer, self._room, len(self._room), byref(count))
        status = self._library.check(result)
        return None if status == WOULD_BLOCK else self._room[: count.value]

    def write(self, data):
        """How many of the bytes were taken; 0: none now, an event will say when."""
        count = c_size_t()
        self._library.check(self._library.nps_pipe_write(self._pointer, data, len(data), byref(count)))
        return count.value

    def close(self):
        self._library.nps_pipe_release(self._pointer)
