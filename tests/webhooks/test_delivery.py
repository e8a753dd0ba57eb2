"""A delivery: who signs it, what is kept of it, when it is tried again."""

import time
from datetime import datetime

import pytest

from support import receiver as receivers


def seconds(moment: str) -> float:
    """An ISO 8601 time as seconds since 1970."""
    return datetime.fromisoformat(moment).timestamp()


def test_the_test_event(rest, hook):
    hook = hook()
    hook.test()
    [event] = hook.wait(1)
    assert event["event"] == "webhook.test" and event["at"]
    [delivery] = hook.wait_for_deliveries(lambda log: len(log) == 1)
    assert delivery["event"] == "webhook.test" and delivery["status"] == 204


def test_a_test_reaches_a_hook_whatever_its_events_and_folder(rest, hook):
    for fields in ({"events": ["file.moved"]}, {"folderId": rest.mkdir("d")["id"]}):
        one = hook(f"/{len(fields)}{list(fields)[0]}", **fields)
        one.test()
        one.wait(1, "webhook.test")


@pytest.mark.parametrize(
    "secret", ["typed-by-hand", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_no-base64!", "12345678", "s" * 200]
)
def test_a_secret_of_ones_own_signs(hook, secret):
    hook = hook(secret=secret)
    assert hook.secret == secret
    hook.test()
    hook.wait(1)


def test_each_hook_signs_with_its_own_secret(rest, hook):
    one, other = hook("/one"), hook("/other")
    assert one.secret.startswith("whsec_") and one.secret != other.secret
    assert len(receivers.standard_key(one.secret)) >= 24, "what Standard Webhooks asks of a secret"
    rest.upload("f", b"x")
    for hook in (one, other):
        hook.wait(1)
    with pytest.raises(AssertionError):
        one.requests()[0].verify(other.secret)


def test_a_new_secret_signs_from_then_on(rest, hook, receiver):
    hook = hook()
    hook.test()
    hook.wait(1)
    assert "secret" not in hook.patch(secret="another-secret")
    hook.test()
    [old, new] = receiver.wait(2)[:2]
    old.verify(hook.secret)
    new.verify("another-secret")


def test_the_log_tells_what_was_sent_and_answered(rest, hook, receiver):
    hook = hook()
    receiver.answer("/", receivers.status(201, b"thank you"))
    before = time.time()
    rest.upload("f", b"x")
    hook.wait(1)
    [delivery] = hook.wait_for_deliveries(lambda log: len(log) == 1)
    [request] = hook.requests()
    assert set(delivery) == {"id", "eventId", "event", "at", "attempt", "status", "durationMs", "answer", "error"}
    assert delivery["eventId"] == request.id and delivery["event"] == "file.created"
    assert delivery["attempt"] == 1 and delivery["status"] == 201
    assert delivery["answer"] == "thank you" and delivery["error"] is None
    assert 0 <= delivery["durationMs"] < (time.time() - before) * 1000
    assert hook.get()["failingSince"] is None


def test_the_newest_delivery_is_listed_first_and_pages_lead_to_the_oldest(rest, hook):
    hook = hook()
    for number in range(5):
        rest.upload(f"f{number}", b"x")
        hook.wait(number + 1)
        hook.wait_for_deliveries(lambda log: len(log) == number + 1)
    log = hook.deliveries()
    times = [delivery["at"] for delivery in log]
    assert times == sorted(times, reverse=True)
    assert len({delivery["id"] for delivery in log}) == 5
    seen, cursor = [], None
    for _ in range(5):
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = rest.get(f"webhooks/{hook.id}/deliveries", params=params).json()
        assert len(page["deliveries"]) <= 2
        seen += page["deliveries"]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert seen == log


def test_redelivery_sends_the_same_event_again(rest, hook, receiver):
    hook = hook()
    file = rest.upload("f", b"x")
    hook.wait(1)
    [delivery] = hook.wait_for_deliveries(lambda log: len(log) == 1)
    rest.delete(f"files/{file['id']}")
    time.sleep(1.1)
    hook.redeliver(delivery)
    [first, second] = receiver.wait(2)[:2]
    assert second.id == first.id and second.body == first.body, "even if the file has gone meanwhile"
    assert int(second.header("webhook-timestamp")) > int(first.header("webhook-timestamp"))
    second.verify(hook.secret)
    log = hook.wait_for_deliveries(lambda log: len(log) == 2)
    assert {entry["eventId"] for entry in log} == {first.id}


def test_a_failed_delivery_can_be_redelivered(rest, hook, receiver, jobs):
    hook = hook()
    receiver.answer("/", receivers.status(500), receivers.status(204))
    rest.upload("f", b"x")
    [failed] = hook.wait_for_deliveries(lambda log: len(log) == 1)
    hook.redeliver(failed)
    receiver.wait(2, timeout=4)
    assert len({request.id for request in receiver.requests()}) == 1


def test_a_failed_delivery_is_tried_again_until_it_succeeds(rest, hook, receiver, jobs):
    hook = hook()
    receiver.answer("/", receivers.status(500, b"not now"), receivers.status(503), receivers.status(200))
    rest.upload("f", b"x")
    receiver.wait(1)
    [job] = jobs.wait_for_failure()
    assert set(job) == {"id", "kind", "accountId", "state", "tries", "dueAt", "createdAt", "error"}
    assert job["state"] == "ready" and job["error"]
    assert hook.get()["failingSince"] and hook.get()["enabled"]
    first, second, third = receiver.wait(3, timeout=60)[:3]
    assert first.id == second.id == third.id
    assert first.body == second.body == third.body
    for request in (first, second, third):
        request.verify(hook.secret)
    assert 3 <= second.at - first.at <= 10, "the first retry comes after about 5 s"
    assert third.at - second.at > (second.at - first.at) * 1.2, "the next one takes longer"
    assert int(second.header("webhook-timestamp")) > int(first.header("webhook-timestamp"))
    log = hook.wait_for_deliveries(lambda log: len(log) == 3)
    assert [(entry["attempt"], entry["status"]) for entry in log] == [(3, 200), (2, 503), (1, 500)]
    assert log[2]["answer"] == "not now" and log[2]["error"] and log[0]["error"] is None
    jobs.wait(lambda jobs: jobs == [])
    assert hook.get()["failingSince"] is None
    time.sleep(2)
    assert len(receiver.requests()) == 3, "what succeeded is not tried again"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 226, 299])
def test_any_2xx_is_a_success(rest, hook, receiver, jobs, status):
    hook = hook()
    receiver.answer("/", receivers.status(status, b"" if status == 204 else b"fine"))
    rest.upload("f", b"x")
    [delivery] = hook.wait_for_deliveries(lambda log: len(log) == 1)
    assert delivery["status"] == status and delivery["error"] is None
    jobs.wait(lambda jobs: jobs == [])


@pytest.mark.parametrize("status", [300, 304, 400, 401, 404, 410, 418, 429, 500, 502, 503, 599])
def test_any_other_status_is_a_failure(rest, hook, receiver, jobs, status):
    hook = hook()
    receiver.answer("/", receivers.status(status))
    rest.upload("f", b"x")
    [delivery] = hook.wait_for_deliveries(lambda log: len(log) == 1)
    assert delivery["status"] == status and delivery["error"]
    [job] = jobs.all("ready")
    assert job["tries"] == 1 and seconds(job["dueAt"]) > time.time()


def test_at_most_a_kibibyte_of_the_answer_is_kept(rest, hook, receiver):
    hook = hook()
    receiver.answer("/", receivers.status(200, b"y" * 100_000))
    rest.upload("f", b"x")
    [delivery] = hook.wait_for_deliveries(lambda log: len(log) == 1)
    assert delivery["answer"] == "y" * 1024


@pytest.mark.parametrize("answer", ["й".encode() * 1000, b"\xff\xfe\x00" * 500, b"a\x00b", b'"\\\n<script>'])
def test_an_answer_may_be_any_bytes(rest, hook, receiver, answer):
    hook = hook()
    receiver.answer("/", receivers.status(200, answer))
    rest.upload("f", b"x")
    [delivery] = hook.wait_for_deliveries(lambda log: len(log) == 1)
    assert isinstance(delivery["answer"], str) and len(delivery["answer"]) <= 1024
    if len(answer) < 1024 and b"\x00" not in answer:
        assert delivery["answer"] == answer.decode()


def test_an_answer_in_chunks_is_read(rest, hook, receiver):
    hook = hook()
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    receiver.answer("/", receivers.raw(chunks))
    rest.upload("f", b"x")
    [delivery] = hook.wait_for_deliveries(lambda log: len(log) == 1)
    assert delivery["answer"] == "hello world"


def test_the_query_and_the_path_of_the_url_are_kept(rest, hook, receiver):
    path = "/a%20b/%2F?token=t&x[]=%26"
    hook = hook(path)
    assert hook.created["url"] == receiver.url(path)
    rest.upload("f", b"x")
    hook.wait(1)
    assert {request.path for request in receiver.requests()} == {path}


def test_a_new_url_is_used_for_what_is_still_to_be_told(rest, hook, receiver, jobs):
    hook = hook("/old")
    receiver.answer("/old", receivers.status(500))
    rest.upload("f", b"x")
    receiver.wait(1, "/old")
    [job] = jobs.wait_for_failure()
    hook.patch(url=receiver.url("/new"))
    assert jobs.retry(job).status_code == 204
    [request, *_] = receiver.wait(1, "/new", timeout=10)
    request.verify(hook.secret)
    assert request.id == receiver.requests("/old")[0].id
