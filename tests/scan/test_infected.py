"""What else becomes of files in which a virus was found."""

import pytest

from support.clamd import EICAR
from support.scanning import assert_infected, dav_av_status

CLEAN = b"harmless"


@pytest.mark.parametrize("delete", ["dav", "rest", "with its folder"])
def test_an_infected_file_can_be_deleted(failing, account, dav, rest, delete):
    with failing():
        dav.folder("folder")
        dav.make("folder/f", EICAR)
    [folder] = rest.get("folders").json()["folders"]
    [file] = rest.files(folder["id"])
    assert file["avStatus"] == "INFECTED"
    if delete == "dav":
        assert dav.delete("folder/f").status_code == 204
    elif delete == "rest":
        assert rest.delete(f"files/{file['id']}").status_code == 204
    else:
        assert dav.delete("folder").status_code == 204
    assert not dav.exists("folder/f")
    [deleted] = rest.get("trash").json()["trash"]
    trash = account.dav(mount=f"/remote.php/dav/trashbin/{account.login}/trash/")
    assert_infected(trash.get(f"{deleted['id']}/f" if delete == "with its folder" else deleted["id"]))
    rest.empty_trash()
    assert rest.used() == 0


def test_a_version_is_infected_by_itself(failing, dav, rest):
    with failing():
        for content in (EICAR, CLEAN):
            dav.make("f", content)
    [file] = rest.files()
    assert file["avStatus"] == "CLEAN" and dav.get("f").content == CLEAN
    [version] = rest.get(f"files/{file['id']}/versions").json()["versions"]
    path = f"files/{file['id']}/versions/{version['id']}"
    assert_infected(rest.get(f"{path}/download"))
    assert_infected(rest.get(f"{path}/download", headers={"Range": "bytes=0-3"}))
    assert rest.head(f"{path}/download").status_code == 403
    assert_infected(rest.post(f"{path}/restore"))
    assert dav.get("f").content == CLEAN
    assert dav.copy("f", "copy").status_code == 201, "a copy has no versions"


def test_a_new_content_makes_an_infected_file_whole(failing, dav, rest):
    with failing():
        dav.make("f", EICAR)
    assert_infected(dav.get("f"))
    dav.make("f", CLEAN)
    assert dav.get("f").content == CLEAN and dav_av_status(dav, "f") == "clean"
