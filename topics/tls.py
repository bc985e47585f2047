"""The TLS context of a client: whom it trusts, and the certificate that it shows."""

import ssl
from pathlib import Path


class TlsFilesError(Exception):
    """A file cannot be used for TLS; the message says which, and why."""


def client_context(ca_file: str) -> ssl.SSLContext:
    """Checks brokers' certificates and the names in them; trusts the system's authorities where `ca_file` is empty.

    Raises TlsFilesError.
    """
    if ca_file:
        _require_readable(ca_file)
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except ssl.SSLError:
        raise TlsFilesError(f"{ca_file} holds no certificate in PEM form") from None


def show_certificate(context: ssl.SSLContext, certificate_file: str, key_file: str, key_password: str) -> None:
    """Make the context show a client certificate. Raises TlsFilesError."""
    for file in (certificate_file, key_file):
        _require_readable(file)
    try:
        # Without a password OpenSSL would ask for one on the terminal.
        context.load_cert_chain(certificate_file, key_file, password=lambda: key_password)
    except ssl.SSLError as error:
        raise TlsFilesError(_complaint(error, certificate_file, key_file, key_password)) from None


def _require_readable(file: str) -> None:
    try:
        Path(file).read_bytes()
    except OSError as error:
        raise TlsFilesError(f"{file} cannot be read: {error.strerror}") from None


def _complaint(error: ssl.SSLError, certificate_file: str, key_file: str, key_password: str) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"the key in {key_file} does not belong to the certificate in {certificate_file}"
    encrypted = b"ENCRYPTED" in Path(key_file).read_bytes()
    if encrypted:
        return f"{key_file} is encrypted: {'key_password does not open it' if key_password else 'set key_password'}"
    return f"{certificate_file} holds no certificate, or {key_file} no private key, in PEM form"
