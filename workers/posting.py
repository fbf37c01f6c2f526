"""One attempt at a webhook: bounded in time, to an address that is looked at each time, with nothing read but a status.

What is at the other end has been chosen by somebody else. `axis.outside` says where it may lead: it is looked up anew
for each attempt, since names change, and the connection goes to the address that was looked at, and is used once.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

from axis.errors import Refused
from axis.outside import Destinations, Forbidden, request_to
from axis.tls import told

LOOKUPS = 200  # at once: as many as webhooks are worked on
CONNECT_SECONDS = 5.0
DEADLINE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Poster:
    """Posts bodies to addresses of agencies' own systems."""

    client: httpx.AsyncClient
    targets: Destinations
    deadline: float = DEADLINE_SECONDS

    async def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> str | None:
        """Make one attempt; return why it failed, None when it was answered with 2xx. The answer is not read.

        Where the axis refuses to go on, for the address or for what TLS shows, the code of the catalogue stands first.
        """
        try:
            async with asyncio.timeout(self.deadline):
                return await self._post(url, body, headers)
        except TimeoutError:
            return f"no answer within {self.deadline:g} s"
        except Refused as error:
            return f"{error.code}: {error.detail}"
        except Forbidden as error:
            # Agencies read this: it must not tell them what our own name servers say of names inside.
            return f"webhook/address: {error if error.inside is None else 'the name leads inside the network'}"
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError, UnicodeError, ValueError) as error:
            known = told(error, "the webhook")
            return f"{type(error).__name__} {error}" if known is None else f"{known.code}: {known.detail}"

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> str | None:
        place = self.targets.check(url)  # again: what is allowed may have changed
        address = await self.targets.address(place)
        request = request_to(self.client, address, "POST", place, content=body, headers=headers)
        response = await self.client.send(request, stream=True, follow_redirects=False)
        async with contextlib.aclosing(response):
            return None if response.is_success else f"it answers {response.status_code}"


@contextlib.asynccontextmanager
async def posting(targets: Destinations, ca: Path | None = None) -> AsyncIterator[Poster]:
    """Open a poster for as long as the block lasts; proxies of the environment are not used."""
    # A name whose server does not answer holds a thread for as long as the system tries, longer than an attempt may
    # take: with the few that asyncio has, the names of one agency would keep everybody's from being looked up.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(LOOKUPS, "lookup"))
    verify = ssl.create_default_context(cafile=None if ca is None else str(ca))
    timeout = httpx.Timeout(DEADLINE_SECONDS, connect=CONNECT_SECONDS)
    once = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(timeout=timeout, limits=once, verify=verify, trust_env=False) as client:
        yield Poster(client, targets)
