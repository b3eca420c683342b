"""Makes the calls of APICall.all, in that order, with the official SDK: record.py BASE_URL KEY."""

import sys

import lightfield

client = lightfield.Lightfield(api_key=sys.argv[2], base_url=sys.argv[1], max_retries=0)
start, end = "2026-04-08T11:00:00.000Z", "2026-04-08T12:00:00.000Z"

client.file.create(filename="Übung/ 1.md", mime_type="text/markdown", size_bytes=5, purpose="knowledge_user")
client.file.complete("fil_1", md5="a" * 32)
client.file.complete("fil_1")
client.file.cancel("fil_1")
client.file.retrieve("fil_1")
client.file.list(limit=10, offset=20)
client.file.list()
client.file.url("fil_1")
client.auth.validate()
client.meeting.create(
    fields={
        "title": "Weekly",
        "start_date": start,
        "end_date": end,
        "description": "notes",
        "meeting_url": "https://x.test/1",
        "organizer_email": "a@x.test",
        "attendee_emails": ["b@x.test", "c@x.test"],
        "privacy_setting": "FULL",
    },
    relationships={"transcript": "fil_1"},
)
client.meeting.create(fields={"title": "W", "start_date": start, "end_date": end})
client.meeting.update(
    "mtg_1", fields={"privacy_setting": "METADATA"}, relationships={"transcript": {"replace": "fil_1"}}
)
client.meeting.update("mtg_1", relationships={"transcript": {"replace": "fil_2"}})
client.meeting.retrieve("mtg_1")
client.meeting.list(limit=5, offset=0)
print(lightfield.__version__)
