"""Lets commands search and ask through a running chat of the same data folder, over a local socket.

A command then need not load the models and open the stores. A client works only with a server of the same code,
settings and environment. Otherwise the command does the work itself, so its output does not depend on a running chat.
"""

from app.local_service.client import LocalClient, NotServed, ServerFailed
from app.local_service.digest import identity
from app.local_service.protocol import Questions
from app.local_service.server import LocalService

__all__ = ["LocalClient", "LocalService", "NotServed", "Questions", "ServerFailed", "identity"]
