"""Signed texts: notes, checkpoints, cosignatures, proofs and policies of c2sp.org, over bytes alone.

Nothing here opens a file, reads a clock or keeps state; only the standard library and `cryptography` are imported.
What is parsed is not yet trusted: the `open_` and `check_` functions say what a key that the caller pinned has signed.
"""

from __future__ import annotations

from tallystick.note.checkpoint import (
    Checkpoint,
    CheckpointError,
    SignedCheckpoint,
    format_checkpoint,
    open_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
)
from tallystick.note.cosignature import CosignatureSigner, CosignatureVerifier, cosigned_at
from tallystick.note.ed25519 import Ed25519Signer, Ed25519Verifier
from tallystick.note.keys import NoteKeyError, check_key_name
from tallystick.note.note import (
    Note,
    NoteError,
    OpenedNote,
    Signature,
    SignatureError,
    Signer,
    Verifier,
    format_note,
    format_signature,
    open_note,
    parse_note,
    parse_signatures,
)
from tallystick.note.policy import (
    Group,
    Policy,
    PolicyError,
    PolicyLog,
    PolicyWitness,
    Verdict,
    check_policy,
    format_policy,
    parse_policy,
)
from tallystick.note.policy_lines import PolicyTextError
from tallystick.note.proof import Proof, ProofFormatError, format_proof, parse_proof
from tallystick.note.text import SpellingError
from tallystick.note.vkey import parse_log_vkey, parse_vkey, parse_witness_vkey

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "CosignatureSigner",
    "CosignatureVerifier",
    "Ed25519Signer",
    "Ed25519Verifier",
    "Group",
    "Note",
    "NoteError",
    "NoteKeyError",
    "OpenedNote",
    "Policy",
    "PolicyError",
    "PolicyLog",
    "PolicyTextError",
    "PolicyWitness",
    "Proof",
    "ProofFormatError",
    "Signature",
    "SignatureError",
    "SignedCheckpoint",
    "Signer",
    "SpellingError",
    "Verdict",
    "Verifier",
    "check_key_name",
    "check_policy",
    "cosigned_at",
    "format_checkpoint",
    "format_note",
    "format_policy",
    "format_proof",
    "format_signature",
    "open_checkpoint",
    "open_note",
    "parse_checkpoint",
    "parse_log_vkey",
    "parse_note",
    "parse_policy",
    "parse_proof",
    "parse_signatures",
    "parse_vkey",
    "parse_witness_vkey",
    "sign_checkpoint",
]
