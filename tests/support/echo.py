"""The peer that the contract of TCP asks for: prints the port that it listens on, and echoes until it is ended.

A message that ends with EOT is the last one of its connection; ENQ is answered with the number of open connections.
"""

import asyncio

EOT, ENQ = b"\x04", b"\x05"
connections: set[asyncio.StreamWriter] = set()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    connections.add(writer)
    try:
        while message := await reader.read(65536):
            writer.write(bytes([len(connections)]) if message == ENQ else message)
            await writer.drain()
            if message.endswith(EOT):
                break
    except ConnectionError:
        pass
    finally:
        connections.remove(writer)
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
