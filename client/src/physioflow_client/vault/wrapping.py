"""The cryptography: a data key wrapped by a password and a secret of the laptop.

    password ─Argon2id(salt)─▶ password key ┐
                                            ├─HKDF-SHA256─▶ wrapping key ─AES-256-GCM─▶ data key
    device secret, from the OS keyring ─────┘             └▶ check

Sources: RFC 9106 (Argon2), RFC 5869 (HKDF), NIST SP 800-38D (GCM).
"""

from __future__ import annotations

import hmac
from typing import Final

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from physioflow_client.vault.header import CHECK_BYTES, Header, Protection
from physioflow_client.vault.secret import KEY_BYTES, SecretBytes

ARGON2_MEMORY_KIB: Final = 64 * 1024
ARGON2_PASSES: Final = 3
ARGON2_LANES: Final = 4


class WrongCheck(Exception):
    """Password or device secret are not those that wrapped the key."""


class Altered(Exception):
    """Password and device secret are right, but the header is not as it was written."""


class WrappingKey:
    """What a password and a device secret come to; costs 64 MiB and about 0.1 s to make."""

    def __init__(self, password: str, device_secret: SecretBytes | None, salt: bytes) -> None:
        password_key = hash_secret_raw(
            secret=password.encode(),
            salt=salt,
            time_cost=ARGON2_PASSES,
            memory_cost=ARGON2_MEMORY_KIB,
            parallelism=ARGON2_LANES,
            hash_len=KEY_BYTES,
            type=Type.ID,
        )
        protection = Protection.WITHOUT_KEYRING
        material = password_key
        if device_secret is not None:
            protection = Protection.WITH_KEYRING
            material += device_secret.reveal()
        info = b"physioflow vault 1 " + protection.value.encode()
        derived = HKDF(SHA256(), KEY_BYTES + CHECK_BYTES, salt=salt, info=info).derive(material)
        self._cipher = AESGCM(derived[:KEY_BYTES])
        self._check = derived[KEY_BYTES:]

    def wrap(self, data_key: SecretBytes, *, nonce: bytes, bound: bytes) -> tuple[bytes, bytes]:
        """Return the check and the wrapped key."""
        return self._check, self._cipher.encrypt(nonce, data_key.reveal(), bound)

    def unwrap(self, header: Header, *, bound: bytes) -> SecretBytes:
        """Return the data key.

        Raises:
            WrongCheck: wrong password or device secret (or its salt or check was altered).
            Altered: any other part of the header was.
        """
        if not hmac.compare_digest(self._check, header.check):
            raise WrongCheck
        try:
            return SecretBytes(self._cipher.decrypt(header.nonce, header.wrapped, bound))
        except InvalidTag as error:
            raise Altered from error
