"""Connections: what is trusted, and what is not."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import ssl
from pathlib import Path

import pytest

from gexterm.clock import ManualClock
from gexterm.feeds.fetch import Fetcher
from gexterm.feeds.protocol import Request
from gexterm.feeds.retry import Retry, Stop, classify
from gexterm.feeds.transport import Patience, host_of, opened, trusted

x509 = pytest.importorskip("cryptography.x509", reason="makes the certificates of this test")

PATIENCE = Patience(open_timeout_s=2.0, close_timeout_s=0.1)
NOW = dt.datetime.now(dt.UTC)


def certificate(folder: Path, name: str, days: tuple[int, int]) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate that it signed itself."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    names: list[x509.GeneralName] = [x509.DNSName(name)]
    if name[0].isdigit():
        names = [x509.IPAddress(ipaddress.ip_address(name))]
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + dt.timedelta(days=days[0]))
        .not_valid_after(NOW + dt.timedelta(days=days[1]))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    (folder / "cert.pem").write_bytes(pem)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "both.pem").write_bytes(private + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return context


async def secure(context: ssl.SSLContext | None) -> asyncio.Server:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)


async def tried(server: asyncio.Server, scheme: str) -> Retry | Stop | None:
    """What a connection to a server, or a request to it, came to."""
    port = server.sockets[0].getsockname()[1]
    if scheme == "https":
        fetcher = Fetcher(ManualClock())
        try:
            answer = await fetcher.fetch(Request("x", f"https://127.0.0.1:{port}/"))
        finally:
            await fetcher.close()
        return answer.failure
    try:
        async with opened(f"wss://127.0.0.1:{port}/", PATIENCE):
            raise AssertionError("it was trusted")
    except Exception as error:
        return classify(error, "127.0.0.1")


@pytest.mark.parametrize("scheme", ["wss", "https"])
@pytest.mark.parametrize(
    ("name", "days", "trust", "said"),
    [
        ("127.0.0.1", (-1, 1), False, "signed by itself"),
        ("127.0.0.1", (-2, -1), True, "has expired"),
        ("127.0.0.1", (1, 2), True, "not valid yet"),
        ("else.example", (-1, 1), True, "is for another"),
    ],
)
async def test_no_certificate_but_a_good_one_is_taken(
    tmp_path, monkeypatch, scheme: str, name: str, days: tuple[int, int], trust: bool, said: str
):
    context = certificate(tmp_path, name, days)
    if trust:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    async with await secure(context) as server:
        verdict = await tried(server, scheme)
    assert isinstance(verdict, Stop)
    assert said in verdict.reason
    assert verdict.hint


async def test_one_that_the_system_trusts_is(tmp_path, monkeypatch):
    context = certificate(tmp_path, "127.0.0.1", (-1, 1))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    async with await secure(context) as server:
        verdict = await tried(server, "wss")
        assert isinstance(verdict, Retry)
        assert "HTTP status 503" in verdict.reason
        assert await tried(server, "https") is None


@pytest.mark.parametrize("scheme", ["wss", "https"])
async def test_a_server_without_tls_is_told_apart(scheme: str):
    async with await secure(None) as server:
        verdict = await tried(server, scheme)
    assert isinstance(verdict, Stop)
    assert "does not speak TLS" in verdict.reason


def test_a_certificate_that_was_good_before_may_be_good_again():
    error = ssl.SSLCertVerificationError("self-signed certificate")
    assert isinstance(classify(error), Stop)
    verdict = classify(error, stood=True)
    assert isinstance(verdict, Retry)
    assert verdict.wait_s >= 30.0


def test_certificates_and_names_are_always_checked():
    context = trusted()
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


def test_a_host_is_named_without_the_rest():
    assert host_of("wss://www.deribit.com/ws/api/v2") == "www.deribit.com"
    assert host_of("wss://[::1") == host_of("") == ""
