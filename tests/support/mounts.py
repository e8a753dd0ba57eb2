"""The URLs below which a drive appears."""

from support.server import Account

# {login} and {space} are the account's.
MOUNTS = (
    "/dav/",
    "/webdav/",
    "/remote.php/webdav/",
    "/remote.php/dav/files/{login}/",
    "/dav/files/{login}/",
    "/remote.php/dav/spaces/{space}/",
    "/dav/spaces/{space}/",
)


def space_of(account: Account) -> str:
    """The id of the account's drive, in the form of ownCloud's spaces."""
    return f"edgedrive${account.id}"


def mount_of(account: Account, mount: str) -> str:
    """One of MOUNTS, for this account."""
    return mount.format(login=account.login, space=space_of(account))
