"""The test kit: a real Kinto for the length of a test run."""

from .server import KintoServer
from .transports import RecordingTransport, record

__all__ = ["KintoServer", "record", "RecordingTransport"]
