"""The prose of the AsyncAPI document: what an integrator has to know beside the shapes."""

from schemas import wire
from schemas.envelope import MAX_ENVELOPE_BYTES, MAX_RECIPIENTS
from schemas.status import MAX_STATUS_BYTES

SIGNING = f"""\
## Signing

Every envelope and status carries a detached JWS (RFC 7515 appendix F, RFC 7797 with b64=false) in the message header
`{wire.SIGNATURE_HEADER}`, made over the exact bytes of the body:

1. Write the body as UTF-8 JSON. These bytes are what is signed and what is sent; nobody re-serialises them.
2. Protected header, a JSON object with exactly these members:
   {{"alg":A,"b64":false,"crit":["b64"],"x5t#S256":T}}
   A is EdDSA (Ed25519), ES256 (P-256; the signature is the 64 bytes r||s, not DER), PS256 (salt of 32 bytes) or RS256
   (RSA of 2048 to 8192 bits). T is the base64url of the SHA-256 of the enrolled DER certificate.
3. segment = BASE64URL(header); all base64url is without padding.
4. signature = sign(ASCII(segment) + "." + body).
5. {wire.SIGNATURE_HEADER}: segment + ".." + BASE64URL(signature).

A second signature may stand beside it, in `{wire.SECOND_SIGNATURE_HEADER}`: made in the same way over the same bytes
with an ML-DSA-65 key (FIPS 204, empty context; alg "ML-DSA-65"), whose certificate is enrolled for the same
organisation and role. The first one must be there and verify all the same; a second one that does not verify is
refused. Some organisations have to make it (`signature/second-missing`).

`x-signature-example` has every intermediate value for an Ed25519 key, which any library must reproduce byte for byte.
The repository's tests/vectors/signatures holds a signature of each algorithm to verify, and some seventy that must be
refused, each with its reason code.

## Verifying

Take T from the header and fetch the certificate (GET /v1/certificates/{{thumbprint}} of the gateway): check that its
SHA-256 is T, that `alg` fits its key, that it was valid and not revoked at the time in the message's id (the first 48
bits of a UUIDv7 are milliseconds since 1970), and that its `organisation` is the sender (for a status: the reporter)
or stands above it, as `H37` stands above `H37.05`. Then verify the signature over ASCII(segment) + "." + body.
Where there is a `{wire.SECOND_SIGNATURE_HEADER}`, verify that too, or leave it.
Receipts are signed by the axis: its certificate (role axis) came with your profile; pin it and accept no other."""

DESCRIPTION = f"""\
Agencies exchange signed electronic documents over RabbitMQ (AMQP 0-9-1). An agency has one account named by its code,
publishes under its own code (or a unit's below it) and reads its own three queues. It may declare nothing (a passive
declaration is allowed); everything else the broker refuses.

## Sending

Publish persistent (delivery_mode 2), mandatory, with publisher confirms, and with the properties `type`,
`content_type`, `message_id` (the id in the body), `user_id` (the account), and without `CC` or `BCC` headers. A confirm
means the message is on disk at the broker; the receipt, a little later in your notices queue, says what the axis made
of it. If a confirm is lost, publish the same bytes again: the id makes it the same message, and the receipt comes
again. The same id with other bytes is refused. A message that is returned (mandatory) found no queue: the axis is being
set up; try again. The broker may block publishers for a while (connection.blocked): wait, and use one connection to
publish and another to consume.

Limits: an envelope {MAX_ENVELOPE_BYTES // 1024} KiB and {MAX_RECIPIENTS:,} recipients, a status \
{MAX_STATUS_BYTES // 1024} KiB. Make the id (UUIDv7) when you send: one whose time is far from now is refused. JSON
objects name each key once; members that the schema does not have are refused.

Your account may have a share: what is over it is refused unread with `limit/…` and `retry_after`. Send the same bytes
again after so many seconds; the receipt that follows is the one that counts.

Files do not travel in messages: upload them to the gateway first (gateway.openapi.json), name them by SHA-256.

An envelope with `sealed` has encrypted files: seal-keys.schema.json and seal-contents.schema.json are the two bodies
beside it, docs/sealing.md of the repository says byte by byte how they are made and opened, with a vector.

## Receiving

Consume with manual acks; ack when the document is safe with you, then report 01. The same envelope can come twice: drop
repeats by id. A mailbox serves every recipient that is its own code, and those that the header `{wire.ROUTES_HEADER}`
names: a JSON object of mailbox -> positions (from 0) in the envelope's `recipients`; without the header, its own code
only.

An operator may put documents into the queue `replay.<code>` once more, each marked by the header
`{wire.REPLAY_HEADER}`: do not drop these as repeats, and report nothing by taking them.

Statuses go 01 arrived, 03 accepted, 04 assigned, 05 in process, 06 finished; steps may be left out. One that comes late
or twice is recorded and moves nothing back. 02 and 06 end the delivery. `x-meanings` in the schemas says what each
value stands for.

Who recalls, updates or replaces a document sends an envelope with that `action` and the first one's id in `concerns`;
code 13 asks a single recipient for the document back. The answer is 15 (agreed) or 16 (declined, with a reason), about
the envelope that asks (13: about the document). After agreeing to a recall the recipient destroys its copy and proves
it by a second 15 with `destroyed`. A recall may come before its document, in the other lane: keep it, and file neither;
a document that was not taken is answered with `destroyed.untaken`. One that is still held at the axis is withdrawn
there, and the receipt says `concerns/withdrawn`. A recall of an envelope that the axis does not know yet waits for ten
minutes.

A receipt about a message that could not be attributed goes to nobody. An accepted status gets no receipt, a refused one
does. `x-reasons` lists every code in English and Vietnamese, with whose fault it is, what to do, whether the very same
bytes may be sent again, and what other systems call it.

{SIGNING}"""
