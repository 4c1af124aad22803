"""Serves the console: the web application with its login and its limits, inside the event loop of the process.

The pages are NiceGUI's. What a browser may ask for is decided here, before any page is built.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from html import escape
from urllib.parse import parse_qs

import structlog

from bot.config.addresses import is_loopback
from bot.console.access import Access, is_own_request
from bot.errors import UserMistake, explain_bind_error
from bot.installation import advise_install

try:
    import uvicorn
    from fastapi import FastAPI
    from nicegui import ui
    from starlette.datastructures import Headers, MutableHeaders
    from starlette.middleware.sessions import SessionMiddleware
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, RedirectResponse, Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
except ImportError as error:
    raise UserMistake(f"the console needs NiceGUI: install it with {advise_install('console')}") from error

log = structlog.get_logger()

SHUTDOWN_TIMEOUT = 1
"""Seconds that a stop waits for open pages."""

RECONNECT_TIMEOUT = 60.0
"""Seconds without a connection until NiceGUI forgets a page, and with it the rules that were typed on it.

NiceGUI pings a browser every 0.8 of this time, since proxies close what is silent for a minute, and waits 0.4 of it for the
answer, which a busy machine may give late.
"""

MAX_LOGIN_SIZE = 4096
"""Bytes of a login's form."""

CONTENT_POLICY = "; ".join(
    [
        "default-src 'self'",
        # NiceGUI builds its components from templates in the page: without these two nothing is shown.
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)

_HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
}

LOGIN_PATH, LOGOUT_PATH = "/login", "/logout"


class Gate:
    """Lets a request through to the pages if it comes from the console's own pages and has a session.

    It also adds the headers that tell the browser what a page may load.
    """

    def __init__(self, app: ASGIApp, access: Access, *, is_loopback_only: bool) -> None:
        self._app, self._access, self._is_loopback_only = app, access, is_loopback_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or pass on one request, as an ASGI application."""
        # The third type is "lifespan", which the server itself sends.
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        is_own = is_own_request(
            headers.get("host", ""),
            headers.get("origin"),
            is_loopback_only=self._is_loopback_only,
            needs_password=self._access.needs_password,
            forwarded_host=headers.get("x-forwarded-host"),
        )
        has_access = self._access.has_access(str(scope.get("session", {}).get("id", "")))
        if is_own and (has_access or scope["path"] == LOGIN_PATH):
            await self._app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            # Before the handshake is accepted: the browser sees a 403.
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        elif not is_own:
            await Response("This page does not answer other pages.", status_code=403)(scope, receive, _with_headers(send))
        # Only a page is led to the login. A script or a picture would take the form for its answer.
        elif scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
            await RedirectResponse(LOGIN_PATH, status_code=303)(scope, receive, _with_headers(send))
        else:
            await Response("Log in first.", status_code=403)(scope, receive, _with_headers(send))


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
        await send(message)

    return send_with_headers


_TOO_MANY_ATTEMPTS = "Too many wrong passwords. Wait a minute."


def add_login(api: FastAPI, access: Access) -> None:
    """Add the two pages that work without a session: they are plain HTML."""

    @api.get(LOGIN_PATH)
    async def show_login(_: Request) -> Response:
        return HTMLResponse(_render_login(""))

    @api.post(LOGIN_PATH)
    async def log_in(request: Request) -> Response:
        address = request.client.host if request.client else ""
        if access.must_wait(address):
            return HTMLResponse(_render_login(_TOO_MANY_ATTEMPTS), status_code=429)
        # Read by ourselves: a form reader would take a body of any size before anybody is known to have the password.
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MAX_LOGIN_SIZE:
                return HTMLResponse(_render_login("That is too long."), status_code=413)
        # Asked again: other attempts may have ended while this one's body was on its way.
        if access.must_wait(address):
            return HTMLResponse(_render_login(_TOO_MANY_ATTEMPTS), status_code=429)
        password = parse_qs(body.decode(errors="replace"), keep_blank_values=True).get("password", [""])[0]
        session = access.log_in(password, address)
        if session is None:
            log.warning("console_login_refused", address=address)
            return HTMLResponse(_render_login("Wrong password."), status_code=403)
        request.session["id"] = session
        return RedirectResponse("/", status_code=303)

    @api.post(LOGOUT_PATH)
    async def log_out(request: Request) -> Response:
        access.log_out(str(request.session.get("id", "")))
        request.session.clear()
        return RedirectResponse(LOGIN_PATH, status_code=303)


def _render_login(sentence: str) -> str:
    notice = f'<p role="alert">{escape(sentence)}</p>' if sentence else ""
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Touchline: log in</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<style>body{{font:1rem system-ui,sans-serif;max-width:20rem;margin:20vh auto;padding:1rem}}
input,button{{font:inherit;width:100%;padding:.6rem;margin:.3rem 0;box-sizing:border-box}}</style></head>
<body><h1>Touchline</h1>{notice}<form method="post" action="{LOGIN_PATH}">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" autofocus>
<button>Log in</button></form></body></html>"""


class _Server(uvicorn.Server):
    """Leaves signals to the process that it runs in, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_listening.set()

    # uvicorn would take SIGTERM for itself, and the matches would not be ended in order.
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def check_listen(host: str, password: str) -> None:
    """Raise UserMistake if somebody beyond this machine could open the console without a password."""
    if not password and not is_loopback(host):
        raise UserMistake(f"http.console: {host} can be reached by others: give the console a password, or listen on 127.0.0.1")


@asynccontextmanager
async def serve_console(host: str, port: int, password: str = "") -> AsyncIterator[int]:
    """Serve the pages that were registered before, and yield the port; 0 means any free one. Raises UserMistake.

    NiceGUI keeps its pages once in a process: a process can serve one console.
    """
    check_listen(host, password)
    access = Access(password, time.monotonic)
    api = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    add_login(api, access)
    # Signed with a key of this process: a restart ends all sessions.
    secret = secrets.token_urlsafe(32)
    ui.run_with(
        api, title="Touchline", dark=None, storage_secret=None, show_welcome_message=False, reconnect_timeout=RECONNECT_TIMEOUT
    )
    # `strict`: the cookie is not sent with a request that another site's page makes.
    guarded = SessionMiddleware(
        Gate(api, access, is_loopback_only=is_loopback(host)), secret, session_cookie="touchline", same_site="strict"
    )
    # Opened here, since uvicorn ends the whole process where it cannot listen.
    listener = _listen(host, port)
    config = uvicorn.Config(
        guarded,
        log_config=None,
        access_log=False,
        server_header=False,
        loop="none",  # it runs in the loop of the process
        lifespan="on",  # NiceGUI starts with it
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT,
        # Many times what people open. Beyond it strangers get a 503, and the matches keep their file descriptors.
        limit_concurrency=400,
        ws_max_size=1 << 20,
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await server.is_listening.wait()
        log.info("console_served", port=listener.getsockname()[1])
        yield listener.getsockname()[1]
    finally:
        # Not cancelled: uvicorn closes the pages that are open, within SHUTDOWN_TIMEOUT.
        server.should_exit = True
        await running


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host.strip("[]"), port), family=family, backlog=128)
    except (OSError, UnicodeError) as error:
        raise UserMistake(
            f"the console cannot listen on {host}:{port}: {explain_bind_error(error)}; choose another port"
        ) from error


def format_address(host: str, port: int) -> str:
    """Return the address of the console, to be typed into a browser."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
