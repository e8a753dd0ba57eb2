"""What schemathesis does not know by itself: the body of a TUS request is bytes."""

import schemathesis


@schemathesis.serializer("application/offset+octet-stream")
def octets(_context, value) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
