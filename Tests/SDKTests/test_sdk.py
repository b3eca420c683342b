"""The official Python SDK, with strict validation of responses, against a started `moontide serve`."""

import hashlib
import inspect
import logging
import unittest

import httpx
import lightfield

from served import Served, async_client, sync_client

TEXT = "WEBVTT\n\n00:00.000 --> 00:01.000\nHello.\n".encode()
MD5 = hashlib.md5(TEXT).hexdigest()

served: Served
key: str


def setUpModule():
    global served, key
    # The synchronous client blocks the test's loop, which would say so in debug mode.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    served = Served("--rate-limit", "off")
    key = served.key("--admin", "--user")


def tearDownModule():
    status = served.stop()
    assert status == 0, f"moontide serve ended with {status}: {''.join(served.output)}"


async def settle(value):
    """What a call gives, of the SDK's synchronous client or of its asynchronous one."""
    return await value if inspect.isawaitable(value) else value


class Scenarios:
    """Each test, for both of the SDK's clients."""

    make_client = None

    async def asyncSetUp(self):
        self.clients = []
        self.client = self.connect(key)

    async def asyncTearDown(self):
        for client in self.clients:
            await settle(client.close())

    def connect(self, with_key: str, url: str | None = None, **options):
        client = type(self).make_client(url or served.url, with_key, **options)
        self.clients.append(client)
        return client

    async def create(self, client=None, **changes):
        wish = {"filename": "call.vtt", "mime_type": "text/vtt", "size_bytes": len(TEXT)} | changes
        return await settle((client or self.client).file.create(**wish))

    def put(self, session, data=TEXT):
        return httpx.put(session.upload_url, content=data, headers=session.upload_headers)

    async def completed(self, **changes):
        session = await self.create(**changes)
        self.assertEqual(self.put(session).status_code, 200)
        return await settle(self.client.file.complete(id=session.id, md5=MD5))

    async def refused(self, error, call):
        with self.assertRaises(error) as caught:
            await settle(call())
        self.assertIsInstance(caught.exception.body, dict)
        return caught.exception

    # What the API is for.

    async def test_a_file_is_created_sent_and_completed(self):
        session = await self.create(purpose="meeting_transcript")
        self.assertEqual((session.status, session.filename), ("PENDING", "call.vtt"))
        self.assertIsNotNone(session.expires_at)
        self.assertEqual(self.put(session).status_code, 200)
        done = await settle(self.client.file.complete(id=session.id, md5=MD5))
        self.assertEqual((done.id, done.status, done.expires_at), (session.id, "COMPLETED", None))
        self.assertIsNotNone(done.completed_at)
        again = await settle(self.client.file.retrieve(session.id))
        self.assertEqual(again.model_dump(), done.model_dump())

    async def test_complete_needs_no_md5(self):
        session = await self.create()
        self.put(session)
        done = await settle(self.client.file.complete(id=session.id))
        self.assertEqual(done.status, "COMPLETED")

    async def test_every_purpose_is_taken_and_knowledge_gets_a_suffix(self):
        for purpose in ("meeting_transcript", "email_attachment", "knowledge_user", "knowledge_workspace"):
            session = await self.create(purpose=purpose)
            if purpose.startswith("knowledge"):
                self.assertRegex(session.filename, r"^call_\d{13}\.vtt$")
                self.assertEqual(session.upload_headers["if-none-match"], "*")
                self.assertEqual(self.put(session).status_code, 200)
                self.assertEqual(self.put(session).status_code, 412)
            else:
                self.assertEqual(session.filename, "call.vtt")
                self.assertNotIn("if-none-match", session.upload_headers)

    async def test_a_session_is_cancelled(self):
        session = await self.create()
        cancelled = await settle(self.client.file.cancel(id=session.id, body={}))
        self.assertEqual((cancelled.status, cancelled.expires_at), ("CANCELLED", None))

    async def test_a_completed_file_is_fetched_from_its_url(self):
        done = await self.completed()
        place = await settle(self.client.file.url(done.id))
        self.assertIsNotNone(place.expires_at)
        whole = httpx.get(place.url)
        self.assertEqual((whole.status_code, whole.content), (200, TEXT))
        part = httpx.get(place.url, headers={"range": "bytes=2-5"})
        self.assertEqual((part.status_code, part.content), (206, TEXT[2:6]))

    async def test_files_are_listed_newest_first(self):
        made = [(await self.create(filename=f"{n}.vtt")).id for n in range(3)]
        page = await settle(self.client.file.list(limit=2))
        self.assertEqual([file.id for file in page.data], [made[2], made[1]])
        self.assertGreaterEqual(page.total_count, 3)
        following = await settle(self.client.file.list(limit=1, offset=2))
        self.assertEqual([file.id for file in following.data], [made[0]])

    async def test_a_key_is_validated(self):
        full = await settle(self.client.auth.validate())
        self.assertEqual((full.active, full.scopes, full.subject_type), (True, [], "user"))
        narrow = self.connect(served.key("--scope", "files:read", "--workspace"))
        answer = await settle(narrow.auth.validate())
        self.assertEqual((answer.scopes, answer.subject_type), (["files:read"], "workspace"))

    async def test_a_meeting_takes_a_transcript_when_it_is_created(self):
        transcript = await self.completed(purpose="meeting_transcript")
        meeting = await settle(self.client.meeting.create(
            fields=self.meeting_fields(), relationships={"transcript": transcript.id}))
        self.assertRegex(meeting.id, "^mtg_")
        self.assertEqual(meeting.fields["$title"].value, "Weekly")
        self.assertEqual(meeting.relationships["$transcript"].values, [transcript.id])
        again = await settle(self.client.meeting.retrieve(meeting.id))
        self.assertEqual(again.relationships["$transcript"].values, [transcript.id])
        page = await settle(self.client.meeting.list(limit=1))
        self.assertEqual([each.id for each in page.data], [meeting.id])

    async def test_a_meeting_takes_another_transcript_later(self):
        meeting = await settle(self.client.meeting.create(fields=self.meeting_fields()))
        transcript = await self.completed(purpose="meeting_transcript")
        changed = await settle(self.client.meeting.update(
            id=meeting.id, relationships={"transcript": {"replace": transcript.id}}))
        self.assertEqual(changed.relationships["$transcript"].values, [transcript.id])
        again = await settle(self.client.meeting.retrieve(meeting.id))
        self.assertEqual(again.relationships["$transcript"].values, [transcript.id])

    @staticmethod
    def meeting_fields():
        return {
            "title": "Weekly", "start_date": "2026-04-08T11:00:00.000Z", "end_date": "2026-04-08T12:00:00.000Z",
            "attendee_emails": ["a@example.com", "b@example.com"], "organizer_email": "a@example.com",
            "description": "What there is to say.", "meeting_url": "https://example.com/m", "privacy_setting": "FULL",
        }

    # Typed exceptions.

    async def test_400_a_parameter_that_is_wrong_is_named(self):
        error = await self.refused(lightfield.BadRequestError, lambda: self.create(size_bytes=0))
        self.assertEqual(error.status_code, 400)
        self.assertEqual(error.body["param"] if "param" in error.body else error.body["error"]["param"], "sizeBytes")
        await self.refused(lightfield.BadRequestError, lambda: self.create(filename="x" * 256))
        await self.refused(lightfield.BadRequestError, lambda: self.create(purpose="nothing"))

    async def test_401_a_key_that_nobody_gave(self):
        stranger = self.connect("sk_lf_0000000000000000000000000000000000")
        await self.refused(lightfield.AuthenticationError, lambda: stranger.auth.validate())
        await self.refused(lightfield.AuthenticationError, lambda: self.create(stranger))

    async def test_403_a_scope_that_the_key_lacks(self):
        reader = self.connect(served.key("--scope", "files:read"))
        await self.refused(lightfield.PermissionDeniedError, lambda: self.create(reader))
        member = self.connect(served.key("--user"))
        await self.refused(
            lightfield.PermissionDeniedError, lambda: self.create(member, purpose="knowledge_workspace"))

    async def test_404_another_organisation_sees_nothing(self):
        done = await self.completed()
        other = self.connect(served.key("--org", "org_other"))
        await self.refused(lightfield.NotFoundError, lambda: other.file.retrieve(done.id))
        await self.refused(lightfield.NotFoundError, lambda: other.file.url(done.id))
        await self.refused(lightfield.NotFoundError, lambda: self.client.file.retrieve("fil_nothing"))
        await self.refused(lightfield.NotFoundError, lambda: self.client.meeting.retrieve("mtg_nothing"))

    async def test_409_a_final_conflict_is_not_tried_again(self):
        done = await self.completed()
        attempts = []
        self.client._client.event_hooks = self.counting(attempts)
        error = await self.refused(lightfield.ConflictError, lambda: self.client.file.cancel(id=done.id, body={}))
        self.assertEqual(error.response.headers["x-should-retry"], "false")
        self.assertEqual(len(attempts), 1)
        pending = await self.create()
        await self.refused(lightfield.ConflictError, lambda: self.client.file.url(pending.id))

    async def test_422_bytes_that_are_missing_or_others(self):
        session = await self.create()
        await self.refused(lightfield.UnprocessableEntityError, lambda: self.client.file.complete(id=session.id))
        self.put(session)
        await self.refused(
            lightfield.UnprocessableEntityError,
            lambda: self.client.file.complete(id=session.id, md5="0" * 32))
        done = await settle(self.client.file.complete(id=session.id, md5=MD5))
        self.assertEqual(done.status, "COMPLETED")

    async def test_429_too_many_requests_in_a_second(self):
        limited = Served("--rate-limit", "2")
        try:
            eager = self.connect(limited.key(), limited.url, max_retries=0)
            error = None
            for _ in range(200):
                try:
                    await settle(eager.file.list())
                except lightfield.RateLimitError as caught:
                    error = caught
                    break
            self.assertIsNotNone(error, "200 requests in a row were all let through")
            self.assertGreater(float(error.response.headers["retry-after"]), 0)
            self.assertEqual(error.response.headers["x-ratelimit-limit"], "2")
            self.assertEqual(error.response.headers["x-ratelimit-remaining"], "0")
            self.assertGreater(int(error.response.headers["x-ratelimit-reset"]), 1_700_000_000)
            patient = self.connect(limited.key(), limited.url, max_retries=10)
            for _ in range(4):
                await settle(patient.file.list())
        finally:
            self.assertEqual(limited.stop(), 0)

    def counting(self, attempts):
        if isinstance(self.client, lightfield.AsyncLightfield):
            async def hook(request):
                attempts.append(request)
        else:
            def hook(request):
                attempts.append(request)
        return {"request": [hook]}


class SyncClient(Scenarios, unittest.IsolatedAsyncioTestCase):
    make_client = staticmethod(sync_client)


class AsyncClient(Scenarios, unittest.IsolatedAsyncioTestCase):
    make_client = staticmethod(async_client)
