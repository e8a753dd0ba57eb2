"""Fixtures of the tests that run real programs against the server."""

import os
import socket
import subprocess
import time
from urllib.parse import urlsplit

import pytest

from support.tools import tool

# The two blocks of the API's documentation, word for word but for the address of the server.
NGINX_BLOCKS = """
    # WebDAV needs custom verbs (PROPFIND, MKCOL, MOVE, LOCK…), auth passthrough and big bodies.
    location /api/ {
      proxy_pass http://127.0.0.1:4000/;                # trailing slash strips /api → API sees /dav/
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header Authorization $http_authorization;  # forward Basic creds
      proxy_set_header X-Forwarded-Prefix /api;            # so WebDAV hrefs keep the /api prefix
      proxy_pass_request_headers on;
      client_max_body_size 0;                              # no upload size cap at the proxy
      proxy_request_buffering off;                         # stream PUT bodies straight through
      proxy_buffering off;
      proxy_read_timeout 3600s;
    }

    # Mount https://<host>/OpenCoper/ → Windows labels the drive "OpenCoper"
    location /OpenCoper/ {
      proxy_pass http://127.0.0.1:4000/dav/;            # trailing slash → API sees /dav/
      proxy_set_header Host $host;
      proxy_set_header Authorization $http_authorization;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Prefix /OpenCoper;   # hrefs stay under /OpenCoper
      proxy_pass_request_headers on;
      client_max_body_size 0;
      proxy_request_buffering off;
      proxy_buffering off;
      proxy_read_timeout 3600s;
    }
"""

NGINX_FRAME = """
{user}
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
{blocks}
  }}
}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def nginx(server, tmp_path_factory):
    """The URL of a real nginx with the documented blocks, in front of the server."""
    address = urlsplit(server.url)
    if address.scheme != "http":
        pytest.skip("the documented blocks speak plain HTTP to the server")
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    config = NGINX_FRAME.format(
        user="user root;" if os.geteuid() == 0 else "",
        folder=folder,
        port=port,
        blocks=NGINX_BLOCKS.replace("127.0.0.1:4000", address.netloc),
    )
    (folder / "nginx.conf").write_text(config)
    process = subprocess.Popen(
        [tool("nginx"), "-c", str(folder / "nginx.conf"), "-p", str(folder)], stderr=subprocess.PIPE
    )
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        assert process.poll() is None, process.stderr.read().decode()
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(10)
