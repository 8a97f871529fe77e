"""Customers: nothing about them is unique, so the same person may be there twice."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from connectors.kit.action import Input, Output
from connectors.kit.call import Call
from connectors.stripe import web
from connectors.stripe.platform import LIMIT, LIMITS, METADATA, STRIPE, Created, CustomerId, Metadata, instant

Email = Annotated[str, StringConstraints(max_length=512, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
_Line = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Address(Input):
    """A postal address."""

    line1: _Line | None = Field(default=None, description="Street and number, or post box.")
    line2: _Line | None = Field(default=None, description="Flat or floor.")
    city: _Line | None = Field(default=None, description="City.")
    state: _Line | None = Field(default=None, description="State, county or province.")
    postal_code: _Line | None = Field(default=None, description="Postal code.")
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = Field(
        default=None, description="Two letters, such as DE."
    )


class CreateCustomer(Input):
    """Someone who may buy."""

    email: Email | None = Field(default=None, description="Email address; may be that of another customer too.")
    name: str | None = Field(default=None, min_length=1, max_length=256, description="Full or business name.")
    phone: str | None = Field(default=None, min_length=1, max_length=20, description="Phone number.")
    description: str | None = Field(default=None, min_length=1, max_length=5000, description="For your own eyes.")
    address: Address | None = Field(default=None, description="Postal address.")
    preferred_locales: tuple[str, ...] = Field(default=(), max_length=10, description="Languages, the best first.")
    payment_method: str | None = Field(default=None, pattern=r"^pm_\w+$", description="Payment method to attach.")
    metadata: Metadata = METADATA


class Customer(Created):
    """A customer."""

    email: str | None
    name: str | None
    created_at: datetime | None
    live: bool = Field(description="Whether it is real: not in test mode.")


class GetCustomer(Input):
    """Which customer."""

    customer: CustomerId = Field(description="As createCustomer gave it.")


class ListCustomers(Input):
    """Which customers to list."""

    email: Email | None = Field(default=None, description="Only those with exactly this address, capitals included.")
    limit: int = LIMIT


class CustomerList(Output):
    """Customers, the newest first."""

    customers: tuple[Customer, ...]


def _customer(one: dict[str, Any]) -> Customer:
    return Customer(
        id=one["id"],
        effect_id=web.effect_id(one),
        email=one.get("email"),
        name=one.get("name"),
        created_at=instant(one.get("created")),
        live=one.get("livemode", False),
    )


@STRIPE.action(
    "createCustomer",
    CreateCustomer,
    Customer,
    repeat=web.ONCE,
    why="Nothing about a customer is unique, but Stripe creates one per idempotency key.",
    scopes=("Customers: write",),
    limits=LIMITS,
)
def create_customer(call: Call, data: CreateCustomer) -> Customer:
    """Create a customer."""

    def find() -> dict[str, Any] | None:
        return web.find_marked(call, "customers", email=data.email, created=web.since_sent(call))

    return _customer(web.create(call, "customers", data.model_dump(), find=find))


@STRIPE.read("getCustomer", GetCustomer, Customer, scopes=("Customers: read",), limits=LIMITS)
def get_customer(call: Call, data: GetCustomer) -> Customer:
    """Fetch a customer."""
    return _customer(web.get(call, f"customers/{data.customer}"))


@STRIPE.read("listCustomers", ListCustomers, CustomerList, scopes=("Customers: read",), limits=LIMITS)
def list_customers(call: Call, data: ListCustomers) -> CustomerList:
    """List customers, all or those with an email address."""
    found = web.listed(call, "customers", email=data.email)
    return CustomerList(customers=tuple(_customer(one) for one in islice(found, data.limit)))
