"""Run the page on loopback until someone stops it."""

import contextlib
import sys

import uvicorn

from secondpath.plan.page.app import page_app


def run_page(profile: str, port: int) -> int:
    """Serve on 127.0.0.1 only; exit code 0 after Ctrl-C, 2 if the port is taken."""
    server = uvicorn.Server(
        uvicorn.Config(page_app(profile), host="127.0.0.1", port=port, log_level="warning", access_log=False)
    )
    sys.stderr.write(f"The planner is at http://127.0.0.1:{port}/ for this computer only. Stop it with Ctrl-C.\n")
    with contextlib.suppress(KeyboardInterrupt):
        try:
            server.run()
        except SystemExit:
            sys.stderr.write(f"--port: {port} is taken; choose another with --port\n")
            return 2
    return 0 if server.started else 2
