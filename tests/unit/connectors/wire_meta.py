"""Requests of the actions on Meta's Graph API, as it documents them, and an answer to each."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import Any

from tests.unit.connectors.calls import APP_SECRET, IG_USER, META_TOKEN, NUMBER_ID
from tests.unit.connectors.wire import AT, HERE, JSON, KEY, TO, Sent, asked

CLOUD = f"https://graph.facebook.com/v26.0/{NUMBER_ID}"
GRAPH = "https://graph.instagram.com/v26.0"
ACCOUNT = f"{GRAPH}/{IG_USER}"
WAMID, CONTAINER, MEDIA, PERSON = "wamid.HBgLMTQxNTU1NTAxMjM=", "17900000000000003", "18000000000000001", "5550123"
IMAGE, VIDEO = "https://cdn.example.com/a.jpg", "https://cdn.example.com/b.mp4"
PROOF = ("appsecret_proof", hmac.new(APP_SECRET.encode(), META_TOKEN.encode(), hashlib.sha256).hexdigest())
SENT = {"messaging_product": "whatsapp", "messages": [{"id": WAMID, "message_status": "accepted"}]}
TO_ONE = {
    "messaging_product": "whatsapp",
    "recipient_type": "individual",
    "to": TO.removeprefix("+"),
    "biz_opaque_callback_data": KEY,
}
MADE, READY, DONE = {"id": CONTAINER}, {"id": CONTAINER, "status_code": "FINISHED"}, {"id": MEDIA}


def cloud(**fields: Any) -> Sent:
    return Sent("POST", f"{CLOUD}/messages", JSON, {**TO_ONE, **fields}, [])


def made(**fields: Any) -> Sent:
    return Sent("POST", f"{ACCOUNT}/media", JSON, fields, [PROOF])


def published() -> Sent:
    return Sent("POST", f"{ACCOUNT}/media_publish", JSON, {"creation_id": CONTAINER}, [PROOF])


def looked(container_id: str = CONTAINER) -> Sent:
    return asked(f"{GRAPH}/{container_id}", ("fields", "status_code,status"), PROOF)


def text(value: str, **more: str) -> dict[str, str]:
    return {"type": "text", "text": value, **more}


WIRE: list[tuple[str, dict[str, Any], list[Sent], list[dict[str, Any]]]] = [
    (
        "whatsapp.sendTemplate",
        {
            "to": TO,
            "template": "order_shipped",
            "language": "en_US",
            "body_values": ["Ana", "50 % & more 🎉"],
            "header_image_url": IMAGE,
            "url_endings": {"0": "1042"},
        },
        [
            cloud(
                type="template",
                template={
                    "name": "order_shipped",
                    "language": {"code": "en_US"},
                    "components": [
                        {"type": "header", "parameters": [{"type": "image", "image": {"link": IMAGE}}]},
                        {"type": "body", "parameters": [text("Ana"), text("50 % & more 🎉")]},
                        {"type": "button", "sub_type": "url", "index": "0", "parameters": [text("1042")]},
                    ],
                },
            )
        ],
        [SENT],
    ),
    (
        "whatsapp.sendTemplate",
        {"to": TO, "template": "news", "language": "de", "named_values": {"day": "Montag"}, "header_text": "Ana"},
        [
            cloud(
                type="template",
                template={
                    "name": "news",
                    "language": {"code": "de"},
                    "components": [
                        {"type": "header", "parameters": [text("Ana")]},
                        {"type": "body", "parameters": [text("Montag", parameter_name="day")]},
                    ],
                },
            )
        ],
        [SENT],
    ),
    (
        "whatsapp.sendTemplate",
        {"to": TO, "template": "welcome", "language": "en_US"},
        [cloud(type="template", template={"name": "welcome", "language": {"code": "en_US"}})],
        [SENT],
    ),
    (
        "whatsapp.sendSessionMessage",
        {"to": TO, "body": "At nine.", "reply_to": WAMID},
        [cloud(type="text", text={"body": "At nine.", "preview_url": False}, context={"message_id": WAMID})],
        [SENT],
    ),
    (
        "whatsapp.getMessageStatus",
        {"wamid": WAMID},
        [
            asked(
                f"{CLOUD}/message_history",
                ("message_id", WAMID),
                ("fields", "id,message_id,events{delivery_status,timestamp,error_description}"),
            )
        ],
        [{"data": [{"id": "1", "message_id": WAMID}]}],
    ),
    (
        "instagram.publishPost",
        {"image_url": IMAGE, "caption": "Spring & more 🎉", "alt_text": "A flower"},
        [made(image_url=IMAGE, caption="Spring & more 🎉", alt_text="A flower"), looked(), published()],
        [MADE, READY, DONE],
    ),
    (
        "instagram.publishPost",
        {"video_url": VIDEO, "cover_url": IMAGE, "share_to_feed": False},
        [made(media_type="REELS", video_url=VIDEO, cover_url=IMAGE, share_to_feed=False), looked(), published()],
        [MADE, READY, DONE],
    ),
    (
        "instagram.publishPost",
        {"carousel": [{"image_url": IMAGE, "alt_text": "A flower"}, {"video_url": VIDEO}], "caption": "Both"},
        [
            made(image_url=IMAGE, alt_text="A flower", is_carousel_item=True),
            made(media_type="VIDEO", video_url=VIDEO, is_carousel_item=True),
            looked("17900000000000001"),
            looked("17900000000000002"),
            made(media_type="CAROUSEL", caption="Both", children=["17900000000000001", "17900000000000002"]),
            looked(),
            published(),
        ],
        [{"id": "17900000000000001"}, {"id": "17900000000000002"}, READY, READY, MADE, READY, DONE],
    ),
    (
        "instagram.publishStory",
        {"image_url": IMAGE},
        [made(media_type="STORIES", image_url=IMAGE), looked(), published()],
        [MADE, READY, DONE],
    ),
    (
        "instagram.respondDM",
        {"to": PERSON, "text": "Grüße"},
        [
            Sent(
                "POST",
                f"{ACCOUNT}/messages",
                JSON,
                {"recipient": {"id": PERSON}, "message": {"text": "Grüße", "metadata": KEY}},
                [PROOF],
            )
        ],
        [{"recipient_id": PERSON, "message_id": "aWdfZ1"}],
    ),
    (
        "instagram.getInsights",
        {"media_id": MEDIA, "metrics": ["reach", "views"]},
        [asked(f"{GRAPH}/{MEDIA}/insights", ("metric", "reach,views"), PROOF)],
        [{"data": []}],
    ),
    (
        "instagram.getInsights",
        {"metrics": ["reach"], "since": HERE, "until": (AT + timedelta(days=7)).isoformat()},
        [
            asked(
                f"{ACCOUNT}/insights",
                ("metric", "reach"),
                ("period", "day"),
                ("metric_type", "total_value"),
                ("since", str(int(AT.timestamp()))),
                ("until", str(int(AT.timestamp()) + 7 * 86_400)),
                PROOF,
            )
        ],
        [{"data": []}],
    ),
]
