"""What is a connector? One platform: its hosts, what a connection to it holds, and its actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

from pydantic import BaseModel

from connectors.kit.action import Action, I, Input, Limit, O, Output, RepeatPolicy, Resend, Retry

if TYPE_CHECKING:
    from connectors.kit.call import Call
    from connectors.kit.oauth import OAuth

AnyAction: TypeAlias = Action[Input, Output]
Perform: TypeAlias = "Callable[[Call, I], O]"
Check = TypeVar("Check", bound="Callable[[Call], str]")


class Connector:
    """One platform.

    Args:
        slug: Its name everywhere: files, actions, contract, simulator.
        title: Its name for people.
        hosts: Every host it calls; requests to any other host are refused. ``*.example.com`` stands for the hosts one
            name below ``example.com``, where each account has a host of its own.
        credential: What a connection keeps secret; secret fields are ``SecretStr``.
        settings: What a connection keeps that is no secret, such as its sender.
        api_version: The version it speaks.
        api_sunset: The day that version stops working; None if none is announced.
        oauth: How its tokens are fetched and renewed; None if its credential does not expire by itself. The credential
            is then an ``OAuthCredential``.
        console: What a person does in the platform's developer console before a connection can be added, step by step;
            ``{redirect_uri}`` stands for the address that the platform has to send people back to.
        connect_s: Seconds to wait for a connection.
        read_s: Seconds to wait for an answer.
    """

    def __init__(
        self,
        slug: str,
        title: str,
        *,
        hosts: tuple[str, ...],
        credential: type[BaseModel],
        settings: type[BaseModel],
        api_version: str,
        api_sunset: date | None = None,
        oauth: OAuth | None = None,
        console: tuple[str, ...] = (),
        connect_s: float = 3.0,
        read_s: float = 12.0,
    ) -> None:
        self.slug = slug
        self.title = title
        self.hosts = hosts
        self.credential = credential
        self.settings = settings
        self.api_version = api_version
        self.api_sunset = api_sunset
        self.oauth = oauth
        self.console = console
        self.connect_s = connect_s
        self.read_s = read_s
        self._actions: dict[str, AnyAction] = {}
        self._check: Callable[[Call], str] | None = None

    def __repr__(self) -> str:
        return f"Connector({self.slug!r})"

    def calls(self, host: str | None) -> bool:
        """Whether a host is one of the platform's."""
        if host is None:
            return False
        return host in self.hosts or f"*.{host.partition('.')[2]}" in self.hosts

    @property
    def actions(self) -> Mapping[str, AnyAction]:
        """The actions by name, in the order they are written."""
        return MappingProxyType(self._actions)

    def action(
        self,
        name: str,
        input: type[I],  # noqa: A002 (the word of the kit)
        output: type[O],
        *,
        repeat: RepeatPolicy[I, O],
        why: str,
        effect: bool = True,
        multi_step: bool = False,
        retry: Retry | None = None,
        recipient: Callable[[I], str] | None = None,
        channel: str | None = None,
        target: Callable[[I], str] | None = None,
        pace: tuple[Limit, ...] = (),
        scopes: tuple[str, ...] = (),
        limits: tuple[str, ...] = (),
        cost: str = "",
    ) -> Callable[[Perform[I, O]], Perform[I, O]]:
        """Declare the decorated function to be an action; the arguments are those of ``Action``."""

        def register(perform: Perform[I, O]) -> Perform[I, O]:
            if name in self._actions:
                raise ValueError(f"{self.slug} has an action {name} already")
            made = Action(
                slug=self.slug,
                name=name,
                input=input,
                output=output,
                perform=perform,
                repeat=repeat,
                why=why,
                effect=effect,
                multi_step=multi_step,
                retry=retry or Retry(),
                recipient=recipient,
                channel=channel,
                target=target or recipient,
                pace=pace,
                description=(perform.__doc__ or "").strip().partition("\n")[0],
                scopes=scopes,
                limits=limits,
                timeout_s=self.connect_s + self.read_s,
                cost=cost,
            )
            # Its own input and output types were checked above; whoever looks it up by name only knows the bases.
            self._actions[name] = cast("AnyAction", made)
            return perform

        return register

    def read(
        self,
        name: str,
        input: type[I],  # noqa: A002 (the word of the kit)
        output: type[O],
        *,
        retry: Retry | None = None,
        target: Callable[[I], str] | None = None,
        pace: tuple[Limit, ...] = (),
        scopes: tuple[str, ...] = (),
        limits: tuple[str, ...] = (),
    ) -> Callable[[Perform[I, O]], Perform[I, O]]:
        """Declare the decorated function to be an action that changes nothing."""
        return self.action(
            name,
            input,
            output,
            repeat=Resend(),
            why="It changes nothing.",
            effect=False,
            retry=retry,
            target=target,
            pace=pace,
            scopes=scopes,
            limits=limits,
        )

    def check(self, check: Check) -> Check:
        """Declare the decorated function to be the harmless credential check."""
        self._check = check
        return check

    def test(self, call: Call) -> str:
        """Find out whether a connection's credential works, without changing anything.

        Returns:
            One line about the account, for people.

        Raises:
            ConnectorError: It does not work; the class says why.
        """
        if self._check is None:
            raise NotImplementedError(f"{self.slug} has no credential check")
        return self._check(call)
