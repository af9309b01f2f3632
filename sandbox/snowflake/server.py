"""A local Snowflake for tests and the demo: DuckDB behind Snowflake's wire protocol.

    python sandbox/snowflake/server.py --port 4720 --data .firn/snowflake [--log FILE]

Prints `ready <port>` when it answers. AWS_ENDPOINT_URL says where S3, SQS and API Gateway are.
"""

import argparse
import signal
import socketserver
import sys
import threading
import warnings
from http.server import HTTPServer
from pathlib import Path

import versions


class ThreadedServer(socketserver.ThreadingMixIn, HTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a client that went away
            super().handle_error(request, client_address)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--port", type=int, required=True, help="0: a free one")
    arguments.add_argument("--data", type=Path, required=True, help="directory that holds the databases")
    arguments.add_argument("--log", type=Path, help="file for errors; default: stderr")
    given = arguments.parse_args()
    versions.check()
    if given.log:
        sys.stderr = given.log.open("a", buffering=1)

    warnings.filterwarnings("ignore", message="Arrow output on a DB-API result")

    import pipes

    import bucket_events
    import connections
    import dispatch  # noqa: F401  after the versions are known to be right
    import wire
    from engine import Engine

    engine = Engine(given.data.resolve())
    wire.Handler.app = connections.Server(engine)
    http = ThreadedServer(("127.0.0.1", given.port), wire.Handler)
    threading.Thread(target=pipes.load_forever, daemon=True, name="pipes").start()
    bucket_events.start(lambda url: pipes.object_created(engine, url))
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: threading.Thread(target=http.shutdown).start())
    print(f"ready {http.server_port}", flush=True)
    http.serve_forever(poll_interval=0.05)
    engine.close()


if __name__ == "__main__":
    main()
    # Statements that still run hold their threads: the process ends without them, as a server that is stopped does.
    import os

    sys.stdout.flush()
    os._exit(0)
