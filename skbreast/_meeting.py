"""Wait, before TensorFlow does so for an hour, until all processes of a training have come."""

import contextlib
import errno
import socket
import time

__all__ = ["meet"]

PAUSE_SECONDS = 0.2
READ_SECONDS = 5  # for a number, from whoever knocks
GO = b"go"


def meet(addresses, index, *, seconds):
    """Wait until all processes are there, each at its address; the first one says so.

    Parameters
    ----------
    addresses : list of str
        ``host:port`` of each process.
    index : int
        Which one is this process.
    seconds : float
        The longest wait.

    Raises
    ------
    RuntimeError
        If this process cannot listen at its address.
    ConnectionError
        If another does not come.
    """
    end = time.monotonic() + seconds
    with contextlib.ExitStack() as stack:
        door = stack.enter_context(_listener(addresses[index], backlog=len(addresses)))
        missing = _join(addresses, index, end) if index else _gather(door, addresses, end, stack)
    if missing:
        raise ConnectionError(
            f"distribute='multiworker': nobody waits to train at {', '.join(missing)}, after "
            f"{seconds:g} seconds; start all processes, or correct TF_CONFIG."
        )


def _gather(door, addresses, end, stack):
    """Let all others in and tell them to go; return the addresses of those who don't come."""
    come = {}
    while time.monotonic() < end:
        come = {number: each for number, each in come.items() if _waits(each)}
        if len(come) == len(addresses) - 1:
            for each in come.values():
                each.sendall(GO)
            return []
        door.settimeout(PAUSE_SECONDS)
        with contextlib.suppress(OSError, ValueError):
            connection = stack.enter_context(door.accept()[0])
            connection.settimeout(READ_SECONDS)
            number = int(connection.recv(8))
            if 0 < number < len(addresses):
                come[number] = connection
    return [each for number, each in enumerate(addresses) if number and number not in come]


def _join(addresses, index, end):
    """Tell the first process that this one is there, and wait for its word."""
    while (left := end - time.monotonic()) > 0:
        with contextlib.suppress(OSError), _connection(addresses[0], left) as connection:
            connection.sendall(str(index).encode())
            connection.settimeout(left)
            if connection.recv(len(GO)) == GO:
                return []
        time.sleep(PAUSE_SECONDS)
    return addresses[:1]


def _connection(address, seconds):
    return socket.create_connection(_parts(address), timeout=min(seconds, 1))


def _waits(connection):
    """Tell whether the other side of a connection, which has nothing to say, still holds it."""
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        connection.settimeout(READ_SECONDS)


def _listener(address, backlog):
    host, port = _parts(address)
    try:
        with contextlib.suppress(socket.gaierror):
            family, *_, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            try:
                return socket.create_server(place[:2], family=family, backlog=backlog)
            except OSError as error:
                if error.errno != errno.EADDRNOTAVAIL:
                    raise
        # The name is that of a router in front of a container, or only others know it.
        return socket.create_server(("", port), backlog=backlog)
    except OSError as error:
        raise RuntimeError(
            f"distribute='multiworker': this process cannot listen at {address} ({error}); give "
            "it a free port in TF_CONFIG."
        ) from error


def _parts(address):
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
