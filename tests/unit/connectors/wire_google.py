"""Requests of the actions on Google's APIs, as Google documents them, and an answer to each."""

from __future__ import annotations

import base64
from typing import Any

from tests.unit.connectors.wire import JSON, KEY, Sent, asked

GMAIL = "https://gmail.googleapis.com/gmail/v1/users/me"
CONSOLE = "https://searchconsole.googleapis.com/webmasters/v3/sites"
MESSAGE, THREAD, DRAFT, HISTORY = "19a4c0ffee012345", "19a4c0ffee000001", "r-4611686018427387904", "987654"
SITE, DOMAIN = "https://www.acme.example/", "sc-domain:acme.example"
SITE_PATH, DOMAIN_PATH = f"{CONSOLE}/https%3A%2F%2Fwww.acme.example%2F", f"{CONSOLE}/sc-domain%3Aacme.example"
SITEMAP = "https://www.acme.example/map.xml?a=1&b=2"
SITEMAP_PATH = f"{SITE_PATH}/sitemaps/https%3A%2F%2Fwww.acme.example%2Fmap.xml%3Fa%3D1%26b%3D2"
BRIEF = {"id": MESSAGE, "threadId": THREAD, "labelIds": ["SENT"]}
MADE = {"id": DRAFT, "message": {"id": THREAD, "threadId": THREAD, "labelIds": ["DRAFT"]}}


def raw(*lines: str) -> str:
    return base64.urlsafe_b64encode("\r\n".join(lines).encode()).decode()


PLAIN = raw(
    "From: Acme <news@acme.example>",
    "To: Ada Lovelace <ada@example.org>, bob@example.org",
    "Cc: Ana =?utf-8?q?Ru=C3=ADz?= <ana@example.org>",
    "Bcc: eve@example.org",
    "Subject: =?utf-8?q?Fr=C3=BChling?=",
    "Reply-To: desk@acme.example",
    "List-Unsubscribe: <https://acme.example/off?who=1&list=2>,",
    " <mailto:off@acme.example?subject=unsubscribe>",
    "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
    f"X-Neonhub-Op: {KEY}",
    'Content-Type: text/plain; charset="utf-8"',
    "Content-Transfer-Encoding: base64",
    "MIME-Version: 1.0",
    "",
    base64.b64encode("Grüße\r\n".encode()).decode(),
    "",
)
ANSWER = raw(
    "From: Acme <news@acme.example>",
    "To: ada@example.org",
    "Subject: Re: Your box",
    f"X-Neonhub-Op: {KEY}",
    "In-Reply-To: <2@mail.example.org>",
    "References: <1@mail.example.org>",
    " <2@mail.example.org>",
    'Content-Type: text/html; charset="utf-8"',
    "Content-Transfer-Encoding: 7bit",
    "MIME-Version: 1.0",
    "",
    "<p>Yes</p>",
    "",
)
MAIL = {
    "to": ["Ada Lovelace <ada@example.org>", "bob@example.org"],
    "cc": "Ana Ruíz <ana@example.org>",
    "bcc": ["eve@example.org"],
    "subject": "Frühling",
    "text": "Grüße",
    "reply_to": "desk@acme.example",
    "unsubscribe_url": "https://acme.example/off?who=1&list=2",
    "unsubscribe_email": "off@acme.example",
}
PARENT = {
    **BRIEF,
    "payload": {
        "headers": [
            {"name": "Message-Id", "value": "<2@mail.example.org>"},
            {"name": "References", "value": "<1@mail.example.org>"},
            {"name": "Subject", "value": "Your box"},
        ]
    },
}


def posted(url: str, content: Any = None) -> Sent:
    return Sent("POST", url, None if content is None else JSON, b"" if content is None else content, [])


def sent(method: str, url: str) -> Sent:
    return Sent(method, url, None, b"", [])


Row = tuple[str, dict[str, Any], list[Sent], list[dict[str, Any]]]

EMAIL: list[Row] = [
    (
        "email.sendEmail",
        MAIL,
        [posted(f"{GMAIL}/drafts", {"message": {"raw": PLAIN}}), posted(f"{GMAIL}/drafts/send", {"id": DRAFT})],
        [MADE, BRIEF],
    ),
    (
        "email.sendEmail",
        {"to": "ada@example.org", "html": "<p>Yes</p>", "in_reply_to": MESSAGE},
        [
            asked(
                f"{GMAIL}/messages/{MESSAGE}",
                ("format", "metadata"),
                ("metadataHeaders", "Message-ID"),
                ("metadataHeaders", "References"),
                ("metadataHeaders", "Subject"),
            ),
            posted(f"{GMAIL}/drafts", {"message": {"raw": ANSWER, "threadId": THREAD}}),
            posted(f"{GMAIL}/drafts/send", {"id": DRAFT}),
        ],
        [PARENT, MADE, BRIEF],
    ),
    (
        "email.createDraft",
        MAIL,
        [posted(f"{GMAIL}/drafts", {"message": {"raw": PLAIN}})],
        [MADE],
    ),
    (
        "email.sendDraft",
        {"draft_id": DRAFT},
        [asked(f"{GMAIL}/drafts/{DRAFT}", ("format", "metadata")), posted(f"{GMAIL}/drafts/send", {"id": DRAFT})],
        [MADE, BRIEF],
    ),
    ("email.getDraft", {"draft_id": DRAFT}, [asked(f"{GMAIL}/drafts/{DRAFT}", ("format", "full"))], [MADE]),
    ("email.deleteDraft", {"draft_id": DRAFT}, [sent("DELETE", f"{GMAIL}/drafts/{DRAFT}")], [{}]),
    (
        "email.listDrafts",
        {"query": "subject:sale", "limit": 5, "page_token": "p2"},
        [asked(f"{GMAIL}/drafts", ("q", "subject:sale"), ("maxResults", "5"), ("pageToken", "p2"))],
        [{"resultSizeEstimate": 0}],
    ),
    (
        "email.listMessages",
        {"query": 'in:inbox "spring sale"', "label_ids": ["INBOX", "Label_7"], "include_spam_trash": True},
        [
            asked(
                f"{GMAIL}/messages",
                ("q", 'in:inbox "spring sale"'),
                ("labelIds", "INBOX"),
                ("labelIds", "Label_7"),
                ("maxResults", "100"),
                ("includeSpamTrash", "true"),
            )
        ],
        [{"resultSizeEstimate": 0}],
    ),
    (
        "email.getMessage",
        {"message_id": MESSAGE, "format": "metadata"},
        [asked(f"{GMAIL}/messages/{MESSAGE}", ("format", "metadata"))],
        [BRIEF],
    ),
    (
        "email.getThread",
        {"thread_id": THREAD},
        [asked(f"{GMAIL}/threads/{THREAD}", ("format", "full"))],
        [{"id": THREAD, "messages": [BRIEF]}],
    ),
    (
        "email.getAttachment",
        {"message_id": MESSAGE, "attachment_id": "ANGjdJ-9"},
        [asked(f"{GMAIL}/messages/{MESSAGE}/attachments/ANGjdJ-9")],
        [{"size": 1, "data": "-w"}],
    ),
    (
        "email.listBounces",
        {"since": "2026-11-22T09:00:00+01:00"},
        [asked(f"{GMAIL}/messages", ("q", "from:mailer-daemon after:1795334400"), ("maxResults", "20"))],
        [{}],
    ),
    (
        "email.modifyLabels",
        {"message_id": MESSAGE, "add_label_ids": ["STARRED"], "remove_label_ids": ["UNREAD"]},
        [posted(f"{GMAIL}/messages/{MESSAGE}/modify", {"addLabelIds": ["STARRED"], "removeLabelIds": ["UNREAD"]})],
        [BRIEF],
    ),
    ("email.trashMessage", {"message_id": MESSAGE}, [posted(f"{GMAIL}/messages/{MESSAGE}/trash")], [BRIEF]),
    (
        "email.getProfile",
        {},
        [asked(f"{GMAIL}/profile")],
        [{"emailAddress": "news@acme.example", "historyId": HISTORY}],
    ),
    ("email.checkAliases", {}, [asked(f"{GMAIL}/settings/sendAs")], [{"sendAs": []}]),
    (
        "email.listHistory",
        {"start_history_id": HISTORY, "changes": ["messageAdded", "labelAdded"], "label_id": "INBOX", "limit": 10},
        [
            asked(
                f"{GMAIL}/history",
                ("startHistoryId", HISTORY),
                ("historyTypes", "messageAdded"),
                ("historyTypes", "labelAdded"),
                ("labelId", "INBOX"),
                ("maxResults", "10"),
            )
        ],
        [{"historyId": HISTORY}],
    ),
    (
        "email.watchMailbox",
        {"topic": "projects/acme-mail/topics/gmail-push"},
        [
            posted(
                f"{GMAIL}/watch",
                {
                    "topicName": "projects/acme-mail/topics/gmail-push",
                    "labelIds": ["INBOX"],
                    "labelFilterBehavior": "include",
                },
            )
        ],
        [{"historyId": HISTORY, "expiration": "1795939200000"}],
    ),
    ("email.stopWatch", {}, [posted(f"{GMAIL}/stop")], [{}]),
]

SEARCH_CONSOLE: list[Row] = [
    ("google_search_console.listSites", {}, [asked(CONSOLE)], [{}]),
    ("google_search_console.getSite", {"site_url": DOMAIN}, [asked(DOMAIN_PATH)], [{"siteUrl": DOMAIN}]),
    ("google_search_console.addSite", {"site_url": SITE}, [sent("PUT", SITE_PATH)], [{}]),
    ("google_search_console.deleteSite", {"site_url": SITE}, [sent("DELETE", SITE_PATH)], [{}]),
    (
        "google_search_console.submitSitemap",
        {"site_url": SITE, "sitemap_url": SITEMAP},
        [sent("PUT", SITEMAP_PATH)],
        [{}],
    ),
    (
        "google_search_console.deleteSitemap",
        {"site_url": SITE, "sitemap_url": SITEMAP},
        [sent("DELETE", SITEMAP_PATH)],
        [{}],
    ),
    (
        "google_search_console.getSitemap",
        {"site_url": SITE, "sitemap_url": SITEMAP},
        [asked(SITEMAP_PATH)],
        [{"path": SITEMAP}],
    ),
    (
        "google_search_console.listSitemaps",
        {"site_url": DOMAIN, "index_url": SITEMAP},
        [asked(f"{DOMAIN_PATH}/sitemaps", ("sitemapIndex", SITEMAP))],
        [{}],
    ),
    (
        "google_search_console.querySearchAnalytics",
        {
            "site_url": SITE,
            "start_date": "2026-11-12",
            "end_date": "2026-11-18",
            "dimensions": ["date", "query"],
            "filters": [{"dimension": "query", "operator": "contains", "expression": "sale"}],
            "row_limit": 25_000,
            "start_row": 25_000,
        },
        [
            posted(
                f"{SITE_PATH}/searchAnalytics/query",
                {
                    "startDate": "2026-11-12",
                    "endDate": "2026-11-18",
                    "dimensions": ["date", "query"],
                    "dimensionFilterGroups": [
                        {
                            "groupType": "and",
                            "filters": [{"dimension": "query", "operator": "contains", "expression": "sale"}],
                        }
                    ],
                    "type": "web",
                    "aggregationType": "auto",
                    "dataState": "final",
                    "rowLimit": 25_000,
                    "startRow": 25_000,
                },
            )
        ],
        [{"responseAggregationType": "byProperty"}],
    ),
    (
        "google_search_console.inspectUrl",
        {"site_url": DOMAIN, "url": "https://www.acme.example/sale"},
        [
            posted(
                "https://searchconsole.googleapis.com/v1/urlInspection/index:inspect",
                {"inspectionUrl": "https://www.acme.example/sale", "siteUrl": DOMAIN, "languageCode": "en-US"},
            )
        ],
        [{"inspectionResult": {"indexStatusResult": {"verdict": "PASS"}}}],
    ),
]
