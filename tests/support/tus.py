"""Requests of TUS 1.0.0, to /api/v1/uploads or a folder of WebDAV."""

import base64

TUS = {"Tus-Resumable": "1.0.0"}
OCTETS = {**TUS, "Content-Type": "application/offset+octet-stream"}


def metadata(**values: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())


def create(client, length, name="f", path="uploads", content=b"", **more):
    headers = {**(OCTETS if content else TUS), "Upload-Metadata": metadata(filename=name, **more)}
    headers |= {"Upload-Defer-Length": "1"} if length is None else {"Upload-Length": str(length)}
    return client.post(path, content=content, headers=headers)


def upload_of(answer) -> str:
    """The path of the upload at Location, relative to the client's base."""
    base = answer.request.url.copy_with(raw_path=b"/api/v1/")
    assert answer.headers["location"].startswith(str(base))
    return answer.headers["location"].removeprefix(str(base))


def begun(client, length, **more) -> str:
    """The path of a new upload, relative to the client's base."""
    answer = create(client, length, **more)
    assert answer.status_code == 201, answer.text
    return upload_of(answer)


def append(client, upload, offset, content, **headers):
    return client.patch(upload, content=content, headers={**OCTETS, "Upload-Offset": str(offset), **headers})


def offset(client, upload) -> int:
    answer = client.head(upload, headers=TUS)
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    return int(answer.headers["upload-offset"])
