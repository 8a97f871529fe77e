"""Requests of WhatsApp's further actions, to Meta and to Twilio, as these document them, and an answer to each."""

from __future__ import annotations

from typing import Any

from tests.unit.connectors.calls import NUMBER_ID, WABA
from tests.unit.connectors.wire import JSON, SID, TO, TWILIO, Sent, asked, form
from tests.unit.connectors.wire_meta import CLOUD, SENT, TO_ONE, WAMID, cloud, text

GRAPH = "https://graph.facebook.com/v26.0"
TEMPLATES, MEDIA_ID, CONTENT = f"{GRAPH}/{WABA}/message_templates", "1234567890", f"HX{'a' * 32}"
PDF = "https://cdn.example.com/a.pdf"
TWILIO_FROM = ("From", "whatsapp:+14155550199")
MADE = {"sid": SID, "status": "queued", "direction": "outbound-api"}


def deleted(url: str, *query: tuple[str, str]) -> Sent:
    return Sent("DELETE", url, None, b"", [*query])


def posted(url: str, **fields: Any) -> Sent:
    return Sent("POST", url, JSON if fields else None, fields or b"", [])


WIRE: list[tuple[str, dict[str, Any], list[Sent], list[Any]]] = [
    (
        "whatsapp.sendMarketingTemplate",
        {"to": "+4915112345678", "template": "news", "language": "de", "header_text": "Neon"},
        [
            posted(
                f"{CLOUD}/marketing_messages",
                **{**TO_ONE, "to": "4915112345678"},
                type="template",
                template={
                    "name": "news",
                    "language": {"code": "de"},
                    "components": [{"type": "header", "parameters": [text("Neon")]}],
                },
                product_policy="CLOUD_API_FALLBACK",
            )
        ],
        [SENT],
    ),
    (
        "whatsapp.sendMedia",
        {"to": TO, "kind": "document", "link": PDF, "caption": "Prices", "filename": "prices.pdf", "reply_to": WAMID},
        [
            cloud(
                type="document",
                document={"link": PDF, "caption": "Prices", "filename": "prices.pdf"},
                context={"message_id": WAMID},
            )
        ],
        [SENT],
    ),
    (
        "whatsapp.sendMedia",
        {"to": TO, "kind": "audio", "media_id": MEDIA_ID, "voice": True},
        [cloud(type="audio", audio={"id": MEDIA_ID, "voice": True})],
        [SENT],
    ),
    (
        "whatsapp.sendButtons",
        {"to": TO, "body": "Shall we?", "buttons": [{"id": "y", "title": "Yes"}], "footer": "Until Sunday"},
        [
            cloud(
                type="interactive",
                interactive={
                    "type": "button",
                    "body": {"text": "Shall we?"},
                    "action": {"buttons": [{"type": "reply", "reply": {"id": "y", "title": "Yes"}}]},
                    "footer": {"text": "Until Sunday"},
                },
            )
        ],
        [SENT],
    ),
    (
        "whatsapp.sendButtons",
        {"to": TO, "body": "Shop", "url": "https://a.example/", "url_title": "Open"},
        [
            cloud(
                type="interactive",
                interactive={
                    "type": "cta_url",
                    "body": {"text": "Shop"},
                    "action": {"name": "cta_url", "parameters": {"display_text": "Open", "url": "https://a.example/"}},
                },
            )
        ],
        [SENT],
    ),
    (
        "whatsapp.markMessageRead",
        {"wamid": WAMID, "typing": True},
        [
            posted(
                f"{CLOUD}/messages",
                messaging_product="whatsapp",
                status="read",
                message_id=WAMID,
                typing_indicator={"type": "text"},
            )
        ],
        [{"success": True}],
    ),
    (
        "whatsapp.getMedia",
        {"media_id": MEDIA_ID},
        [asked(f"{GRAPH}/{MEDIA_ID}")],
        [{"id": MEDIA_ID, "url": "https://lookaside.fbsbx.com/1", "mime_type": "image/png", "file_size": 9}],
    ),
    ("whatsapp.deleteMedia", {"media_id": MEDIA_ID}, [deleted(f"{GRAPH}/{MEDIA_ID}")], [{"success": True}]),
    (
        "whatsapp.listTemplates",
        {"status": "APPROVED", "language": "de"},
        [
            asked(
                TEMPLATES,
                ("status", "APPROVED"),
                ("language", "de"),
                ("fields", "id,name,language,category,status,components,rejected_reason"),
                ("limit", "100"),
            )
        ],
        [{"data": []}],
    ),
    (
        "whatsapp.createTemplate",
        {
            "name": "sale",
            "language": "en_US",
            "category": "MARKETING",
            "body": "Hello {{1}}, {{2}} off.",
            "examples": ["Ana", "20 %"],
            "header": "Sale",
            "footer": "Until Sunday",
            "url_buttons": [{"text": "Shop", "url": "https://a.example/{{1}}", "example": "https://a.example/1"}],
            "quick_replies": ["Stop"],
        },
        [
            posted(
                TEMPLATES,
                name="sale",
                language="en_US",
                category="MARKETING",
                parameter_format="positional",
                components=[
                    {"type": "HEADER", "format": "TEXT", "text": "Sale"},
                    {
                        "type": "BODY",
                        "text": "Hello {{1}}, {{2}} off.",
                        "example": {"body_text": [["Ana", "20 %"]]},
                    },
                    {"type": "FOOTER", "text": "Until Sunday"},
                    {
                        "type": "BUTTONS",
                        "buttons": [
                            {
                                "type": "URL",
                                "text": "Shop",
                                "url": "https://a.example/{{1}}",
                                "example": ["https://a.example/1"],
                            },
                            {"type": "QUICK_REPLY", "text": "Stop"},
                        ],
                    },
                ],
            )
        ],
        [{"id": "77", "status": "PENDING", "category": "MARKETING"}],
    ),
    (
        "whatsapp.deleteTemplate",
        {"name": "sale", "template_id": "77"},
        [deleted(TEMPLATES, ("name", "sale"), ("hsm_id", "77"))],
        [{"success": True}],
    ),
    (
        "whatsapp.getPhoneNumber",
        {},
        [
            asked(
                CLOUD,
                (
                    "fields",
                    (
                        "display_phone_number,verified_name,quality_rating,status,throughput,"
                        "whatsapp_business_manager_messaging_limit"
                    ),
                ),
            )
        ],
        [{"id": NUMBER_ID}],
    ),
    ("whatsapp.subscribeWebhooks", {}, [posted(f"{GRAPH}/{WABA}/subscribed_apps")], [{"success": True}]),
    (
        "whatsapp.sendTwilioTemplate",
        {"to": TO, "content_sid": CONTENT, "content_variables": {"1": "Ana"}},
        [
            form(
                f"{TWILIO}/Messages.json",
                ("To", f"whatsapp:{TO}"),
                TWILIO_FROM,
                ("ContentSid", CONTENT),
                ("ContentVariables", '{"1": "Ana"}'),
            )
        ],
        [MADE],
    ),
    (
        "whatsapp.sendTwilioMessage",
        {"to": TO, "body": "50 % & more"},
        [form(f"{TWILIO}/Messages.json", ("To", f"whatsapp:{TO}"), TWILIO_FROM, ("Body", "50 % & more"))],
        [MADE],
    ),
    ("whatsapp.getTwilioStatus", {"sid": SID}, [asked(f"{TWILIO}/Messages/{SID}.json")], [MADE]),
]
