"""Stands for ``python`` or ``dvc``: has the fork server run a command, and ends as it did.

Started as ``python -I -S client.py NAME ARGUMENT…``. With nothing but built-in modules it is there
in 15 ms.
"""

import _signal  # type: ignore[import-not-found]
import _socket
import marshal
import os
import sys

SIZE = 8  # bytes of each answer: the child's id, then its exit code, negative for a signal
REFUSED = bytes(SIZE)


def main(name: str, arguments: list[str]) -> None:
    """Run it; what the server does not take is run by the real interpreter."""
    script = f"{os.path.dirname(sys.executable)}/dvc"
    words = [script, *arguments] if name == "dvc" else arguments
    real = [script if name == "dvc" else sys.executable, *arguments]
    if not words or (words[0].startswith("-") and (words[0] != "-m" or len(words) < 2)):
        os.execv(real[0], real)
    numbers = [0, 1, 2, *inherited()]
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    connection.connect(os.environ["COFILTER_FORKS"])
    umask = os.umask(0)
    os.umask(umask)
    request = marshal.dumps((words, os.getcwd(), dict(os.environ), umask, os.getpid(), numbers))
    files = b"".join(number.to_bytes(4, sys.byteorder) for number in numbers)
    rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)
    connection.sendmsg([len(request).to_bytes(SIZE, "big")], [rights])
    connection.sendall(request)
    answer = receive(connection)
    if answer == REFUSED:
        os.execv(real[0], real)
    child = int.from_bytes(answer, "big")
    for number in (_signal.SIGTERM, _signal.SIGHUP):
        _signal.signal(number, lambda number, _: os.kill(child, number))
    _signal.signal(_signal.SIGINT, _signal.SIG_IGN)  # the child has it too, in this process group
    code = int.from_bytes(receive(connection), "big", signed=True)
    if code < 0:
        if -code != _signal.SIGKILL:
            _signal.signal(-code, _signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def inherited() -> list[int]:
    """Numbers of the open files that a started process is meant to have, besides the streams."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            if int(name) > 2 and os.get_inheritable(int(name)):
                found.append(int(name))
        except OSError:  # the listing itself, which is closed by now
            continue
    return found


def receive(connection: _socket.socket) -> bytes:
    """The next answer, whole."""
    answer = b""
    while len(answer) < SIZE:
        part = connection.recv(SIZE - len(answer))
        if not part:
            sys.exit("the fork server has ended")
        answer += part
    return answer


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
